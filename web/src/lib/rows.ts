/**
 * Where each line of a wrapped log stands: row counts and their running sum. Pure. Grows with the log,
 * so that one more line costs nothing however long the log is.
 */
export class Rows {
  #ends = new Uint32Array(1024);
  #length = 0;

  constructor(readonly columns: number) {}

  get length(): number {
    return this.#length;
  }

  get total(): number {
    return this.top(this.#length);
  }

  /** Takes in lines that were appended; the caller starts anew when lines were dropped or the width changed. */
  grow(lines: readonly string[]): void {
    if (lines.length > this.#ends.length) {
      const larger = new Uint32Array(Math.max(lines.length, this.#ends.length * 2));
      larger.set(this.#ends);
      this.#ends = larger;
    }
    // The line that was last may have become longer since.
    for (let index = Math.max(0, this.#length - 1); index < lines.length; index += 1) {
      this.#ends[index] = this.top(index) + this.rowsOf(lines[index] ?? '');
    }
    this.#length = lines.length;
  }

  /** Row in which a line begins. */
  top(index: number): number {
    return index <= 0 ? 0 : (this.#ends[Math.min(index, this.#ends.length) - 1] ?? 0);
  }

  /** The line that covers a row, by halving. */
  at(row: number): number {
    let low = 0;
    let high = this.#length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ends[middle] ?? 0) <= row) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low);
  }

  rowsOf(line: string): number {
    return this.columns <= 0 ? 1 : Math.max(1, Math.ceil(width(line) / this.columns));
  }
}

/** Columns that a text takes: wide letters (CJK, emoji) take two. */
function width(text: string): number {
  if (!/[^\u0000-\u02ff]/.test(text)) return text.length;
  let sum = 0;
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    sum += code >= 0x1100 && (code <= 0x115f || (code >= 0x2e80 && code <= 0xffe6) || code >= 0x1f300) ? 2 : 1;
  }
  return sum;
}
