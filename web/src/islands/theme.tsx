/** One button that goes round: as the system, light, dark. The server reads the cookie, so a page never flashes. */
import { render } from 'preact';
import { useState } from 'preact/hooks';
import { Icon } from '../lib/parts';

const THEMES = ['auto', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const LOOK: Record<Theme, { icon: string; label: string }> = {
  auto: { icon: 'auto', label: 'Theme: as the system' },
  light: { icon: 'sun', label: 'Theme: light' },
  dark: { icon: 'moon', label: 'Theme: dark' },
};

function present(): Theme {
  const found = /(?:^|;\s*)portico-theme=(light|dark)/.exec(document.cookie)?.[1] ?? document.documentElement.dataset.theme;
  return THEMES.find((theme) => theme === found) ?? 'auto';
}

function show(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
}

function keep(theme: Theme): void {
  const age = theme === 'auto' ? 0 : 31_536_000;
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `portico-theme=${theme}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
}

function ThemeButton() {
  const [theme, setTheme] = useState<Theme>(present);
  const turn = () => {
    const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length] ?? 'auto';
    show(next);
    keep(next);
    setTheme(next);
  };
  const { icon, label } = LOOK[theme];
  return (
    <button type="button" class="button button--quiet button--small button--square" aria-label={label} title={label} onClick={turn}>
      <Icon name={icon} />
    </button>
  );
}

export function hydrate(element: HTMLElement): void {
  show(present());
  render(<ThemeButton />, element);
}
