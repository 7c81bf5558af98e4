/** Short words at the edge of the page about what was just done, with a way to undo where there is one. */
import { icon } from './icon';

const LASTS = 8000;

export interface Undo {
  label: string;
  act(): void;
}

export function toast(text: string, undo?: Undo): void {
  const box = document.createElement('div');
  box.className = 'toast';
  const words = document.createElement('span');
  words.textContent = text;
  box.append(words);
  if (undo) {
    const button = make('button button--small', undo.label);
    button.addEventListener('click', () => {
      box.remove();
      undo.act();
    });
    box.append(button);
  }
  const close = make('button button--quiet button--small button--square', '');
  close.setAttribute('aria-label', 'Dismiss');
  close.append(icon('x'));
  close.addEventListener('click', () => box.remove());
  box.append(close);
  region().append(box);
  lasts(box, undo ? LASTS * 2 : LASTS);
}

/** Goes by itself, but not while somebody points at it or has the keyboard in it. */
function lasts(box: HTMLElement, time: number): void {
  window.setTimeout(() => {
    if (box.matches(':hover, :focus-within')) lasts(box, 2000);
    else box.remove();
  }, time);
}

function make(className: string, label: string): HTMLButtonElement {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = className;
  button.textContent = label;
  return button;
}

function region(): HTMLElement {
  const there = document.querySelector<HTMLElement>('.toasts');
  if (there) return there;
  const made = document.createElement('div');
  made.className = 'toasts';
  made.setAttribute('role', 'status');
  made.setAttribute('aria-live', 'polite');
  document.body.append(made);
  return made;
}

/** Shows what the server left in the page: `<div data-toast="Stopped.">`, with a form inside for undo. */
export function showLeftToasts(): void {
  for (const left of document.querySelectorAll<HTMLElement>('[data-toast]')) {
    const form = left.querySelector('form');
    const undo = form && { label: form.querySelector('button')?.textContent ?? 'Undo', act: () => form.requestSubmit() };
    left.hidden = true;
    toast(left.dataset.toast ?? '', undo ?? undefined);
  }
}
