/**
 * The core of every page: loads the islands that the page has, keeps times, shows toasts, opens confirm
 * pages as dialogs. It changes nothing that works without it, and a failing island never takes another along.
 */
import './styles/portico.css';
import { changed, startClock } from './lib/clock';
import { again } from './lib/page';
import { showLeftToasts } from './lib/toast';

/** Turns an element of the page into an island. Props come from the page and are not trusted to be whole. */
export type Hydrate = (element: HTMLElement, props: Record<string, unknown>) => void;

const ISLANDS: Record<string, () => Promise<{ hydrate: Hydrate }>> = {
  copy: () => import('./islands/copy'),
  launch: () => import('./islands/launch'),
  log: () => import('./islands/log'),
  progress: () => import('./islands/progress'),
  search: () => import('./islands/search'),
  table: () => import('./islands/table'),
  theme: () => import('./islands/theme'),
  usage: () => import('./islands/usage'),
  workloads: () => import('./islands/workloads'),
};

async function hydrate(element: HTMLElement): Promise<void> {
  const load = ISLANDS[element.dataset.island ?? ''];
  if (!load || element.dataset.hydrated !== undefined) return;
  element.dataset.hydrated = '';
  try {
    const props: unknown = JSON.parse(element.dataset.props ?? '{}');
    (await load()).hydrate(element, typeof props === 'object' && props !== null ? { ...props } : {});
    changed();
  } catch (error) {
    // What the server rendered stays.
    console.error(`island ${element.dataset.island} failed`, error);
  }
}

/** Opens the block of a confirm page as a dialog; where that fails, the link simply leads there. */
async function confirm(link: HTMLAnchorElement): Promise<void> {
  const page = await again(link.href);
  const block = page?.querySelector('.confirm');
  if (!block) return void location.assign(link.href);
  const dialog = document.createElement('dialog');
  dialog.className = 'confirm';
  dialog.append(...[...block.childNodes].map((node) => document.adoptNode(node)));
  const heading = dialog.querySelector('h1, h2, h3');
  if (heading) {
    heading.id = 'confirm-heading';
    dialog.setAttribute('aria-labelledby', heading.id);
  }
  dialog.addEventListener('click', (event) => {
    const target = event.target;
    if (target === dialog || (target instanceof Element && target.closest('a.button--quiet'))) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    link.focus();
  });
  document.body.append(dialog);
  dialog.showModal();
  dialog.querySelector<HTMLElement>('a.button--quiet')?.focus();
}

function listen(): void {
  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    const link = target?.closest<HTMLAnchorElement>('a[data-confirm]');
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      void confirm(link);
    }
    for (const menu of document.querySelectorAll<HTMLDetailsElement>('details.menu[open]')) {
      if (!menu.contains(target)) menu.open = false;
    }
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const menu = document.querySelector<HTMLDetailsElement>('details.menu[open]');
    if (!menu) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
  // A form is sent once, however often its button is pressed; coming back by the back button opens it again.
  document.addEventListener('submit', (event) => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || form.method !== 'post' || event.defaultPrevented) return;
    if (form.dataset.sent !== undefined) return event.preventDefault();
    form.dataset.sent = '';
    window.setTimeout(() => delete form.dataset.sent, 5000);
  });
  window.addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
}

function start(): void {
  document.querySelector<HTMLElement>('.error-summary')?.focus();
  startClock();
  showLeftToasts();
  listen();
  for (const element of document.querySelectorAll<HTMLElement>('[data-island]')) void hydrate(element);
}

start();
