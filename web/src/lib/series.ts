/** Samples of the last minutes and the lines drawn through them. Pure. */

export interface Sample {
  /** Milliseconds since 1970. */
  at: number;
  cpuMillis: number;
  memoryBytes: number;
  memoryLimitBytes?: number | undefined;
}

/** Ten minutes. */
export const SPAN = 600_000;

/** In order, without what is older than the span; a sample that was told twice counts once. */
export function add(samples: readonly Sample[], sample: Sample, span = SPAN): Sample[] {
  return [...samples.filter(({ at }) => at !== sample.at && at > sample.at - span - 5000), sample].sort((a, b) => a.at - b.at);
}

/** Where the top of the axis stands: the limit, or a round number above the largest value. */
export function ceiling(values: number[], limit: number | undefined): number {
  const most = Math.max(0, ...values);
  if (limit !== undefined && limit > 0 && most <= limit) return limit;
  if (most <= 0) return 1;
  const step = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 5, 10].map((factor) => factor * step).find((top) => top >= most) ?? most;
}

/** Points in a box of `width` by `height`, newest at the right. */
export function points(samples: readonly { at: number; value: number }[], now: number, top: number, width: number, height: number, span = SPAN): [number, number][] {
  return samples
    .filter(({ at }) => at >= now - span)
    .map(({ at, value }) => [
      round(width - ((now - at) / span) * width),
      round(height - (Math.min(Math.max(0, value), top) / top) * height),
    ]);
}

const round = (value: number) => Math.round(value * 10) / 10;

export function line(dots: [number, number][]): string {
  return dots.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${x} ${y}`).join('');
}

export function area(dots: [number, number][], height: number): string {
  const first = dots[0];
  const last = dots[dots.length - 1];
  return first && last ? `${line(dots)}L${last[0]} ${height}L${first[0]} ${height}Z` : '';
}
