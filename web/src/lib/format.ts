/** Amounts as people read them. Pure. */

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** Powers of 1024 with the names people know, at most three digits: "310 MB", "1.5 GB". */
export function bytes(amount: number): string {
  let rest = Math.max(0, amount);
  let step = 0;
  while (rest >= 999.5 && step < SIZES.length - 1) {
    rest /= 1024;
    step += 1;
  }
  const digits = step > 0 && rest < 9.95 ? 1 : 0;
  return `${rest.toFixed(digits).replace(/\.0$/, '')} ${SIZES[step]}`;
}

/** Thousandths of a CPU: "0.25 CPU", "2 CPU". */
export function cpus(millis: number): string {
  const amount = Math.max(0, millis) / 1000;
  return `${Number(amount.toFixed(amount < 10 ? 2 : 0))} CPU`;
}

export function count(amount: number, one: string, many = `${one}s`): string {
  return `${amount.toLocaleString('en')} ${amount === 1 ? one : many}`;
}
