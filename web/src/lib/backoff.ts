/** How long to wait before trying again. Pure: chance is an argument. */

export interface Pace {
  /** Milliseconds before the first new try. */
  first: number;
  /** Milliseconds that a wait never exceeds, jitter apart. */
  longest: number;
}

export const PACE: Pace = { first: 500, longest: 8000 };

/** Doubles from `first` to `longest`; `chance` in 0..1 spreads it by up to 20 %, so that not all pages knock at once. */
export function wait(attempt: number, chance: number, pace: Pace = PACE): number {
  const plain = Math.min(pace.longest, pace.first * 2 ** Math.min(Math.max(0, attempt), 20));
  return Math.round(plain * (1 + 0.2 * chance));
}
