/**
 * A live list of workloads. The server stays the only one that draws rows: an event changes the badge at
 * once, and shortly after the page is asked again and the entries that differ are put in place, so that filter,
 * rights and actions are always the server's.
 */
import { changed } from '../lib/clock';
import { follow, type Live } from '../lib/follow';
import { again } from '../lib/page';
import { json, type ServerEvent } from '../lib/sse';
import { hydrate as table } from './table';

const SETTLE = 250;

/** The part of a workload's REST form that is shown before the page is asked again. */
interface Seen {
  id: string;
  state?: string | { phase?: string };
  phase?: string;
}

export function phase(seen: Seen): string | undefined {
  return seen.phase ?? (typeof seen.state === 'string' ? seen.state : seen.state?.phase);
}

const entry = (root: ParentNode, id: string) =>
  root.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"], [data-workload="${CSS.escape(id)}"]`);

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const whole = element.closest<HTMLElement>('.table-wrap') ?? element;
  if (whole.querySelector('table')) table(whole, { name: 'workloads', ...props });
  const note = document.createElement('p');
  note.className = 'live';
  note.dataset.live = 'lost';
  note.setAttribute('role', 'status');
  note.hidden = true;
  whole.before(note);

  let timer = 0;
  const settle = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(() => void redraw(element), SETTLE);
  };
  const stop = follow(String(props.stream ?? '/api/v1/workloads/stream'), {
    live: (live) => tell(note, live),
    open: (first) => {
      if (!first) settle();
    },
    event: (event) => {
      apply(element, event);
      settle();
    },
  });
  window.addEventListener('pagehide', stop, { once: true });
}

function tell(note: HTMLElement, live: Live): void {
  note.hidden = live !== 'lost' && live !== 'refused';
  note.textContent =
    live === 'refused' ? 'Live updates have ended: reload the page' : note.hidden ? '' : 'Live updates are lost, trying again';
}

function apply(element: HTMLElement, event: ServerEvent): void {
  const seen = json<Seen>(event);
  if (event.name !== 'workload' || !seen?.id) return;
  const badge = entry(element, seen.id)?.querySelector<HTMLElement>('.state');
  const now = phase(seen);
  if (!badge || !now) return;
  badge.dataset.state = now;
  badge.textContent = now;
}

/** Puts the server's present entries in place, keeping those that are the same and the keyboard's place. */
async function redraw(element: HTMLElement): Promise<void> {
  const page = await again();
  if (!page) return;
  const islands = (root: Document) => [...root.querySelectorAll<HTMLElement>('[data-island="workloads"]')];
  const fresh = islands(page)[islands(document).indexOf(element)];
  const holder = (root: HTMLElement) =>
    root.matches('tbody, ul, ol') ? root : (root.querySelector<HTMLElement>('tbody') ?? root.querySelector<HTMLElement>('ul, ol'));
  const here = holder(element);
  const there = fresh && holder(fresh);
  // The list became empty or stopped being so: only the whole page has the right words for that.
  if (!here || !there) return location.reload();
  const keyboard = here.contains(document.activeElement) ? place(document.activeElement) : undefined;
  const old = new Map([...here.children].map((child) => [identity(child), child]));
  const next = [...there.children].map((child) => {
    const kept = old.get(identity(child));
    return kept instanceof HTMLElement && source(kept) === child.outerHTML ? kept : draw(child);
  });
  if (next.length !== here.children.length || next.some((child, index) => child !== here.children[index])) {
    here.replaceChildren(...next);
    if (keyboard) restore(here, keyboard);
    changed();
  }
}

const drawn = new WeakMap<Element, string>();

const source = (element: Element) => drawn.get(element);

const identity = (element: Element) => (element instanceof HTMLElement ? (element.dataset.id ?? element.dataset.workload ?? '') : '');

function draw(child: Element): Element {
  const text = child.outerHTML;
  const mine = document.importNode(child, true);
  drawn.set(mine, text);
  return mine;
}

interface Place {
  id: string;
  label: string;
}

function place(active: Element | null): Place {
  const row = active?.closest('[data-id], [data-workload]');
  return { id: row ? identity(row) : '', label: active === row ? '' : (active?.textContent ?? '') };
}

function restore(here: HTMLElement, { id, label }: Place): void {
  const row = entry(here, id);
  const inner = [...(row?.querySelectorAll<HTMLElement>('a, button') ?? [])].find((one) => one.textContent === label);
  (inner ?? row?.querySelector<HTMLElement>('a') ?? row)?.focus();
}
