/** The steps of a start, as words: a pure function of what was heard. */

/** As the server names them: progress of the engine, or the state of the workload. */
export interface Heard {
  phase: string;
  step?: string | undefined;
  image?: string | undefined;
  percent?: number | undefined;
  place?: number | undefined;
  reason?: string | undefined;
  advice?: string | undefined;
}

export interface Step {
  name: string;
  state: 'done' | 'now' | 'failed' | 'next';
  detail?: string | undefined;
  percent?: number | undefined;
}

const ORDER = ['accepted', 'waiting', 'preparing', 'pulling', 'starting', 'answer'] as const;
type Place = (typeof ORDER)[number];

const NAMES: Record<Place, string> = {
  accepted: 'Accepted',
  waiting: 'Waiting for room',
  preparing: 'Preparing the workspace',
  pulling: 'Pulling the image',
  starting: 'Starting',
  answer: 'First answer of the app',
};

/** What stands in every start; the rest shows up only when it happens. */
const ALWAYS: Place[] = ['accepted', 'preparing', 'starting', 'answer'];

function place(heard: Heard): Place {
  if (heard.step === 'pulling') return 'pulling';
  if (heard.step === 'creating') return 'starting';
  if (heard.step === 'starting') return 'answer';
  if (heard.step === 'preparing') return 'preparing';
  if (heard.phase === 'queued') return 'waiting';
  if (heard.phase === 'starting') return 'preparing';
  return 'accepted';
}

/** Keeps how far it got and which optional steps were seen, and tells the steps. */
export class Start {
  #now: Place = 'accepted';
  readonly #seen = new Set<Place>(ALWAYS);
  #last: Heard = { phase: 'requested' };

  hear(heard: Heard): void {
    this.#last = { ...heard };
    if (heard.phase === 'requested' && heard.step === undefined) this.#now = 'accepted';
    else if (heard.phase !== 'failed' && heard.phase !== 'ready') {
      // A late word about the state does not turn back what a step has told.
      const next = place(heard);
      if (ORDER.indexOf(next) >= ORDER.indexOf(this.#now)) this.#now = next;
    }
    this.#seen.add(this.#now);
  }

  get phase(): string {
    return this.#last.phase;
  }

  steps(): Step[] {
    const at = ORDER.indexOf(this.#now);
    return ORDER.filter((name) => this.#seen.has(name)).map((name) => {
      const order = ORDER.indexOf(name);
      if (this.#last.phase === 'ready' || order < at) return { name: NAMES[name], state: 'done' };
      if (order > at) return { name: NAMES[name], state: 'next' };
      if (this.#last.phase === 'failed') return { name: NAMES[name], state: 'failed' };
      return { name: NAMES[name], state: 'now', ...this.#detail(name) };
    });
  }

  #detail(name: Place): { detail?: string | undefined; percent?: number | undefined } {
    const { place: queue, image, percent } = this.#last;
    if (name === 'waiting') return { detail: queue ? `Place ${queue} in the queue` : 'The engine is full; it starts as soon as there is room' };
    if (name === 'pulling') {
      const text = [image, percent === undefined ? undefined : `${percent} %`].filter(Boolean).join(', ');
      return { detail: text || undefined, percent };
    }
    if (name === 'answer') return { detail: 'It runs; waiting until it answers' };
    return {};
  }
}
