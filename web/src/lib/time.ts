/** Times as people read them. Pure: the present moment is always an argument. */

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
];

const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto', style: 'short' });

/** "just now", "3 min. ago", "yesterday", "in 2 hr.". */
export function relative(at: Date, now: Date): string {
  const seconds = (at.getTime() - now.getTime()) / 1000;
  const size = Math.abs(seconds);
  if (size < 45) return seconds > 10 ? 'in a moment' : 'just now';
  for (const [unit, length] of UNITS) {
    const count = Math.round(seconds / length);
    if (size >= length * 0.75 && count !== 0) return words.format(count, unit).replace('.', '');
  }
  return words.format(Math.round(seconds / 60), 'minute').replace('.', '');
}

/** Date, time and zone of the viewer. */
export function exact(at: Date, zone?: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'long',
    ...(zone === undefined ? {} : { timeZone: zone }),
  }).format(at);
}

/** "9 s", "4 min 12 s", "3 h 05 min", "2 d 4 h". Never negative: clocks differ. */
export function elapsed(milliseconds: number): string {
  const all = Math.max(0, Math.floor(milliseconds / 1000));
  const days = Math.floor(all / 86_400);
  const hours = Math.floor(all / 3600) % 24;
  const minutes = Math.floor(all / 60) % 60;
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${String(minutes).padStart(2, '0')} min`;
  if (minutes > 0) return `${minutes} min ${all % 60} s`;
  return `${all} s`;
}
