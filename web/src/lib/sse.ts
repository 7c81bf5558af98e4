/**
 * Server-sent events, parsed. Pure: bytes come in as text chunks of any cut, events come out.
 * Written by hand since the browser's EventSource hides the HTTP status, and a page must be able
 * to tell "signed out" and "gone" from "the network is away".
 */

export interface ServerEvent {
  name: string;
  data: string;
  id: string;
}

export class EventParser {
  #rest = '';
  #name = '';
  #data: string[] = [];
  #id = '';

  feed(chunk: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const text = this.#rest + chunk;
    let start = 0;
    for (const end of text.matchAll(/\r\n|\n|\r/g)) {
      // A carriage return at the very end may be half of a pair: wait for the next chunk.
      if (end[0] === '\r' && end.index + 1 === text.length) break;
      const event = this.#line(text.slice(start, end.index));
      start = end.index + end[0].length;
      if (event) events.push(event);
    }
    this.#rest = text.slice(start);
    return events;
  }

  #line(line: string): ServerEvent | undefined {
    if (line === '') {
      const event = { name: this.#name || 'message', data: this.#data.join('\n'), id: this.#id };
      const filled = this.#data.length > 0 || this.#name !== '';
      this.#name = '';
      this.#data = [];
      return filled ? event : undefined;
    }
    if (line.startsWith(':')) return undefined;
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'event') this.#name = value;
    else if (field === 'data') this.#data.push(value);
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    return undefined;
  }
}

/** The data of an event as JSON, or `undefined` when it is none: a broken event is skipped, never fatal. */
export function json<T>(event: ServerEvent): T | undefined {
  try {
    return JSON.parse(event.data) as T;
  } catch {
    return undefined;
  }
}
