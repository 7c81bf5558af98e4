/** Keeps each `<time>` of the page up to date, those that arrive later too. */
import { elapsed, exact, relative } from './time';

export function tellTimes(root: ParentNode, now: Date): void {
  for (const time of root.querySelectorAll<HTMLTimeElement>('time[datetime]')) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const words = exact(at);
    const shown =
      time.dataset.time === 'exact'
        ? words
        : time.dataset.time === 'elapsed'
          ? elapsed(now.getTime() - at.getTime())
          : relative(at, now);
    if (time.textContent !== shown) time.textContent = shown;
    if (time.title !== words) time.title = words;
  }
}

export function startClock(): void {
  const tick = () => tellTimes(document, new Date());
  tick();
  window.setInterval(tick, 1000);
  document.addEventListener('portico:changed', tick);
}

/** To be called after new server-rendered elements were put into the page. */
export function changed(): void {
  document.dispatchEvent(new Event('portico:changed'));
}
