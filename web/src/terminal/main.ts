/**
 * The terminal page: a full window of xterm.js on the shell of this workload, with a thin bar that can be hidden
 * and, on touch screens, the keys that phones lack. Recording and sharing are not its business.
 */
import { FitAddon } from '@xterm/addon-fit';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import { copyText, recall, remember } from '../lib/page';
import { Link, type Standing } from './link';
import { DARK, LIGHT, turned, usual } from './look';
import { ending, sequence, withControl } from './protocol';
import './terminal.css';

const dark = matchMedia('(prefers-color-scheme: dark)');
const look = () => (dark.matches ? DARK : LIGHT);

function part<T extends HTMLElement = HTMLButtonElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page lacks #${id}`);
  return found as T;
}

const terminal = new Terminal({
  allowProposedApi: false,
  cursorBlink: !matchMedia('(prefers-reduced-motion: reduce)').matches,
  fontFamily: 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  fontSize: Number(recall('terminal.size')) || usual(window.innerWidth),
  lineHeight: 1.15,
  scrollback: 10_000,
  screenReaderMode: recall('terminal.reader') === 'on',
  theme: look(),
});
const fit = new FitAddon();
terminal.loadAddon(fit);
terminal.loadAddon(new WebLinksAddon((event, address) => {
  event.preventDefault();
  window.open(address, '_blank', 'noopener,noreferrer');
}));

const STANDING: Record<Standing, string> = {
  connecting: 'Connecting',
  connected: 'Connected',
  reconnecting: 'Reconnecting… your shell keeps running',
  over: 'Ended',
  'signed-out': 'Access ended',
  gone: 'Gone',
  misunderstood: 'Out of date',
};

const NOTICES: Partial<Record<Standing, string>> = {
  'signed-out': 'Your access to this session has ended. Open it again from Portico.',
  gone: 'This session is no longer there. See Portico for what happened.',
  misunderstood: 'This page and the terminal behind it are of different versions. Reload to go on.',
};

let exitCode: number | null = null;
/** Bytes of the past still to come. */
let replaying = 0;
/** Writes of the past still under way. */
let quiet = 0;
/** Whether the next key is taken with Ctrl. */
let control = false;

const link = new Link({
  size: () => ({ cols: terminal.cols, rows: terminal.rows }),
  output(bytes) {
    const old = Math.min(replaying, bytes.length);
    replaying -= old;
    // While old output is repeated, what it asks for must not be answered a second time.
    if (old > 0) {
      quiet += 1;
      terminal.write(bytes, () => {
        quiet -= 1;
      });
    } else {
      terminal.write(bytes);
    }
  },
  message(message) {
    if (message.type === 'hello' || message.type === 'title') name(message.title);
    if (message.type === 'replay' && message.bytes > 0) {
      replaying = message.bytes;
      terminal.reset();
    }
    if (message.type === 'exit') exitCode = message.code;
  },
  standing: show,
});

function name(title: string): void {
  if (!title) return;
  part('name').textContent = title;
  document.title = title;
}

function show(standing: Standing): void {
  const state = part('state');
  state.dataset.link = standing;
  state.textContent = STANDING[standing];
  document.body.classList.toggle('is-away', standing !== 'connected');
  const text = standing === 'over' ? ending(exitCode) : NOTICES[standing];
  part('notice').hidden = text === undefined;
  if (text === undefined) return;
  bar(true);
  part('notice-text').textContent = text;
  part('notice-act').textContent = standing === 'over' ? 'Start a new shell' : 'Reload';
  part('notice-act').focus();
}

function size(up: boolean): void {
  terminal.options.fontSize = turned(terminal.options.fontSize ?? 14, up);
  remember('terminal.size', String(terminal.options.fontSize));
  fit.fit();
  terminal.focus();
}

function bar(visible: boolean): void {
  part('bar').hidden = !visible;
  part('show').hidden = visible;
  fit.fit();
}

async function paste(): Promise<void> {
  try {
    terminal.paste(await navigator.clipboard.readText());
  } catch {
    part('state').textContent = 'The browser does not give the clipboard: press Ctrl+Shift+V';
  }
  terminal.focus();
}

function copy(): void {
  const text = terminal.getSelection();
  if (text) void copyText(text).then(() => terminal.focus());
}

/** Ctrl+Shift+C copies, and so does Ctrl+Insert; pasting is the browser's own (Ctrl+Shift+V, Shift+Insert). */
terminal.attachCustomKeyEventHandler((event) => {
  const copies = (event.ctrlKey && event.shiftKey && event.code === 'KeyC') || (event.ctrlKey && event.key === 'Insert');
  if (copies && event.type === 'keydown' && terminal.hasSelection()) {
    event.preventDefault();
    copy();
    return false;
  }
  return !(event.ctrlKey && event.shiftKey && (event.code === 'KeyC' || event.code === 'KeyV'));
});

terminal.onData((typed) => {
  if (quiet > 0) return;
  link.type(control ? withControl(typed) : typed);
  hold(false);
});
terminal.onBinary((typed) => {
  if (quiet === 0) link.bytes(typed);
});
terminal.onResize(({ cols, rows }) => link.resize(cols, rows));
terminal.onSelectionChange(() => {
  part('copy').disabled = !terminal.hasSelection();
});

function hold(held: boolean): void {
  control = held;
  document.querySelector('[data-key="Control"]')?.setAttribute('aria-pressed', String(held));
}

for (const key of document.querySelectorAll<HTMLButtonElement>('#keys button')) {
  // The keyboard of a phone must stay open: keep the focus where it is.
  key.addEventListener('pointerdown', (event) => event.preventDefault());
  key.addEventListener('click', () => {
    const which = key.dataset.key ?? '';
    if (which === 'Control') hold(!control);
    else link.type(sequence(which, terminal.modes.applicationCursorKeysMode));
    terminal.focus();
  });
}

part('copy').addEventListener('click', copy);
part('paste').addEventListener('click', () => void paste());
part('smaller').addEventListener('click', () => size(false));
part('larger').addEventListener('click', () => size(true));
part('hide').addEventListener('click', () => {
  bar(false);
  terminal.focus();
});
part('show').addEventListener('click', () => bar(true));
part('notice-act').addEventListener('click', () => location.reload());
part('full').hidden = !document.fullscreenEnabled;
part('full').addEventListener('click', () => {
  void (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  terminal.focus();
});
dark.addEventListener('change', () => {
  terminal.options.theme = look();
});

terminal.open(part('screen'));
fit.fit();
new ResizeObserver(() => fit.fit()).observe(part('screen'));
terminal.focus();
show('connecting');
link.connect();
