/**
 * The lines of a log: cut from chunks, cleaned of terminal colours, bounded. Pure, no page.
 * A line keeps its number when older ones are dropped.
 */

const MOST = 200_000;
const LONGEST = 4_000;

// Colours and cursor movement (CSI), titles and links (OSC), and what other control characters are left.
const CONTROLS = /\u001b\[[0-?]*[ -/]*[@-~]|\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)?|\u001b[@-_]|[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;

/** As it would be read on a terminal: what a carriage return overwrites is gone, tabs are blanks. */
export function clean(line: string): string {
  const bare = line.endsWith('\r') ? line.slice(0, -1) : line;
  const last = bare.slice(bare.lastIndexOf('\r') + 1).replace(CONTROLS, '');
  const flat = last.includes('\t') ? tabs(last) : last;
  return flat.length > LONGEST ? `${flat.slice(0, LONGEST)} … (${flat.length - LONGEST} more characters)` : flat;
}

function tabs(line: string): string {
  let out = '';
  line.split('\t').forEach((part, turn) => {
    if (turn > 0) out += ' '.repeat(8 - (out.length % 8));
    out += part;
  });
  return out;
}

export class Lines {
  /** Cleaned lines; an unfinished one is the last. */
  readonly all: string[] = [];
  /** How many were dropped at the start. */
  dropped = 0;
  #open = false;
  #raw = '';

  constructor(private readonly most = MOST) {}

  /** A piece of the stream, cut anywhere. */
  feed(chunk: string): void {
    const parts = (this.#raw + chunk).split('\n');
    if (this.#open) this.all.pop();
    this.#raw = parts.pop() ?? '';
    if (this.#raw.length > LONGEST * 8) {
      parts.push(this.#raw);
      this.#raw = '';
    }
    for (const part of parts) this.all.push(clean(part));
    this.#open = this.#raw !== '';
    if (this.#open) this.all.push(clean(this.#raw));
    this.#bound();
  }

  /** One whole line, or several. */
  add(line: string): void {
    this.feed(line.endsWith('\n') ? line : `${line}\n`);
  }

  clear(): void {
    this.all.length = 0;
    this.dropped = 0;
    this.#open = false;
    this.#raw = '';
  }

  /** Drops a tenth at once, so that a long log is not moved for each line. */
  #bound(): void {
    if (this.all.length <= this.most) return;
    const count = this.all.length - Math.floor(this.most * 0.9);
    this.all.splice(0, count);
    this.dropped += count;
  }
}

/** Numbers of the lines that hold the words, letter case apart. */
export function find(lines: readonly string[], words: string): number[] {
  if (words === '') return [];
  const wanted = words.toLowerCase();
  const hits: number[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    if (lines[index]?.toLowerCase().includes(wanted)) hits.push(index);
  }
  return hits;
}

/** A line in pieces; every second one is a hit. */
export function pieces(line: string, words: string): string[] {
  if (words === '') return [line];
  const low = line.toLowerCase();
  const wanted = words.toLowerCase();
  // Some letters change their length with their case: then the places would not fit.
  if (low.length !== line.length) return [line];
  const out: string[] = [];
  let from = 0;
  for (let at = low.indexOf(wanted); at >= 0; at = low.indexOf(wanted, from)) {
    out.push(line.slice(from, at), line.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  out.push(line.slice(from));
  return out;
}
