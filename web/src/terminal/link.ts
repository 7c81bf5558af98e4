/** The socket to the shell: connects, connects again to the same shell, and says how it stands. */
import { wait } from '../lib/backoff';
import { type FromServer, parse, resize } from './protocol';

/** `over`: the shell has ended; `signed-out`, `gone` and `misunderstood` are final too. */
export type Standing = 'connecting' | 'connected' | 'reconnecting' | 'over' | 'signed-out' | 'gone' | 'misunderstood';

export interface Ends {
  output(bytes: Uint8Array): void;
  message(message: FromServer): void;
  standing(standing: Standing): void;
  size(): { cols: number; rows: number };
}

const FINAL: Record<number, Standing> = { 1007: 'misunderstood', 1009: 'misunderstood', 4401: 'signed-out', 4404: 'gone' };
const REFUSED: Record<number, Standing> = { 401: 'signed-out', 403: 'signed-out', 404: 'gone', 410: 'gone' };
const ASK_AFTER = 5;
/** Typed while away; more is not kept, so that nobody types a night's work into the dark. */
const KEPT = 4096;
const UNANSWERED = 10_000;

export class Link {
  #socket: WebSocket | undefined;
  #attempt = 0;
  #timer = 0;
  #greeted = false;
  #ended = false;
  #waiting = '';
  readonly #text = new TextEncoder();

  constructor(private readonly ends: Ends) {
    window.addEventListener('online', () => this.#now());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#now();
    });
  }

  connect(): void {
    const address = new URL('./ws', location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    address.search = '';
    address.hash = '';
    const socket = new WebSocket(address);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#greeted = false;
    const slow = window.setTimeout(() => socket.close(), UNANSWERED);
    socket.onopen = () => {
      const { cols, rows } = this.ends.size();
      socket.send(resize(cols, rows));
    };
    socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
      if (typeof data !== 'string') return this.ends.output(new Uint8Array(data));
      const message = parse(data);
      if (!message) return;
      if (message.type === 'hello') {
        window.clearTimeout(slow);
        this.#greet();
      }
      if (message.type === 'exit') this.#ended = true;
      this.ends.message(message);
    };
    socket.onclose = ({ code }) => {
      window.clearTimeout(slow);
      if (this.#socket === socket) void this.#closed(code);
    };
  }

  type(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN && this.#greeted) this.#socket.send(this.#text.encode(text));
    else if (!this.#ended && this.#waiting.length + text.length <= KEPT) this.#waiting += text;
  }

  bytes(binary: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)));
  }

  resize(cols: number, rows: number): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(resize(cols, rows));
  }

  #greet(): void {
    this.#greeted = true;
    this.#attempt = 0;
    this.ends.standing('connected');
    const waiting = this.#waiting;
    this.#waiting = '';
    if (waiting) this.type(waiting);
  }

  async #closed(code: number): Promise<void> {
    this.#socket = undefined;
    if (this.#ended) return this.ends.standing('over');
    const final = FINAL[code] ?? (this.#attempt >= ASK_AFTER ? await this.#refused() : undefined);
    if (final) return this.ends.standing(final);
    this.ends.standing('reconnecting');
    this.#timer = window.setTimeout(() => this.#again(), wait(this.#attempt, Math.random()));
    this.#attempt += 1;
  }

  /** A browser does not tell why an upgrade was refused; the health address does. */
  async #refused(): Promise<Standing | undefined> {
    try {
      const { status } = await fetch('./health', { credentials: 'same-origin', cache: 'no-store' });
      return REFUSED[status];
    } catch {
      return undefined;
    }
  }

  #again(): void {
    window.clearTimeout(this.#timer);
    this.#timer = 0;
    this.connect();
  }

  #now(): void {
    if (this.#timer !== 0) this.#again();
  }
}
