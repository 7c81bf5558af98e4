/** The few parts of the design system that islands draw themselves. */
import type { ComponentChildren } from 'preact';
import type { Live } from './follow';
import { base } from './page';

export function Icon({ name }: { name: string }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`${base()}icons.svg#${name}`} />
    </svg>
  );
}

export function StateBadge({ state }: { state: string }) {
  return (
    <span class="state" data-state={state}>
      {state}
    </span>
  );
}

const WORDS: Partial<Record<Live, string>> = {
  lost: 'Live updates are lost, trying again',
  refused: 'Live updates have ended: reload the page',
};

/** Says when what is shown may be old; silent while all is well. */
export function LiveNote({ live, children }: { live: Live; children?: ComponentChildren }) {
  const words = WORDS[live];
  return (
    <span role="status">
      {words ? (
        <span class="live" data-live="lost">
          {words}
        </span>
      ) : (
        children
      )}
    </span>
  );
}
