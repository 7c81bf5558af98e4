/** The messages of docs/terminal-protocol.md. Pure: text in, a known message or nothing out. */

export type FromServer =
  | { type: 'hello'; cols: number; rows: number; title: string }
  | { type: 'replay'; bytes: number }
  | { type: 'title'; title: string }
  | { type: 'exit'; code: number | null };

const LONGEST_TITLE = 200;

export function parse(text: string): FromServer | undefined {
  let seen: unknown;
  try {
    seen = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof seen !== 'object' || seen === null) return undefined;
  const { type, cols, rows, title, bytes, code } = seen as Record<string, unknown>;
  const name = typeof title === 'string' ? title.slice(0, LONGEST_TITLE) : '';
  switch (type) {
    case 'hello':
      return { type, cols: whole(cols) ?? 80, rows: whole(rows) ?? 24, title: name };
    case 'replay':
      return { type, bytes: whole(bytes) ?? 0 };
    case 'title':
      return { type, title: name };
    case 'exit':
      return { type, code: whole(code) ?? null };
    default:
      return undefined;
  }
}

const whole = (value: unknown) => (typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined);

export function resize(cols: number, rows: number): string {
  const clamp = (value: number) => Math.min(1000, Math.max(1, Math.floor(value)));
  return JSON.stringify({ type: 'resize', cols: clamp(cols), rows: clamp(rows) });
}

/** Keys that a phone's keyboard lacks, as a terminal sends them. */
export function sequence(key: string, application: boolean): string {
  const arrow = { ArrowUp: 'A', ArrowDown: 'B', ArrowRight: 'C', ArrowLeft: 'D' }[key];
  if (arrow) return `\u001b${application ? 'O' : '['}${arrow}`;
  return { Escape: '\u001b', Tab: '\t' }[key] ?? '';
}

/** What Ctrl makes of a typed character. */
export function withControl(typed: string): string {
  if (typed.length !== 1) return typed;
  const code = typed.toUpperCase().charCodeAt(0);
  return code >= 0x40 && code <= 0x5f ? String.fromCharCode(code & 0x1f) : typed === ' ' ? '\0' : typed;
}

/** In words, why a shell is over. */
export function ending(code: number | null): string {
  if (code === null) return 'The shell has ended.';
  if (code === 0) return 'The shell has ended. Everything in the workspace is kept.';
  if (code > 128 && code < 160) return `The shell was ended by signal ${code - 128}.`;
  return `The shell has ended with exit code ${code}.`;
}
