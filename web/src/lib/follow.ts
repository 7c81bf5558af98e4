/**
 * Follows a stream of the server until told to stop: connects again with growing waits, says what the
 * connection is like, and gives up only where trying again cannot help (signed out, no right, gone).
 */
import { wait } from './backoff';
import { EventParser, type ServerEvent } from './sse';

/** `connecting` is quiet; `lost` is worth a word; `ended` and `refused` are final. */
export type Live = 'connecting' | 'live' | 'lost' | 'ended' | 'refused';

export interface Listener {
  event(event: ServerEvent): void;
  live?(live: Live): void;
  /** Called when a connection is up, with whether it is the first; later ones may have missed events. */
  open?(first: boolean): void;
}

const LONGEST_SILENCE = 60_000;

export function follow(url: string, listener: Listener): () => void {
  const stop = new AbortController();
  void run(url, listener, stop.signal);
  return () => stop.abort();
}

async function run(url: string, listener: Listener, stop: AbortSignal): Promise<void> {
  let attempt = 0;
  let opened = false;
  let last = '';
  listener.live?.('connecting');
  while (!stop.aborted) {
    try {
      const answer = await fetch(url, {
        headers: { accept: 'text/event-stream', ...(last ? { 'last-event-id': last } : {}) },
        credentials: 'same-origin',
        cache: 'no-store',
        signal: stop,
      });
      if ([401, 403, 404, 410].includes(answer.status)) return listener.live?.('refused');
      if (answer.status === 204) return listener.live?.('ended');
      if (!answer.ok || !answer.body) throw new Error(`status ${answer.status}`);
      listener.live?.('live');
      listener.open?.(!opened);
      opened = true;
      for await (const event of events(answer, stop)) {
        attempt = 0;
        if (event.id) last = event.id;
        listener.event(event);
        if (event.name === 'end') return listener.live?.('ended');
      }
    } catch {
      // The wait below is the answer to every failure of the network.
    }
    if (stop.aborted) return;
    listener.live?.(attempt === 0 && opened ? 'connecting' : 'lost');
    await pause(wait(attempt, Math.random()), stop);
    attempt += 1;
  }
}

/** Text events of an event stream, or one `chunk` event per piece of a plain text. */
async function* events(answer: Response, stop: AbortSignal): AsyncGenerator<ServerEvent> {
  const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!reader) return;
  const plain = !(answer.headers.get('content-type') ?? '').startsWith('text/event-stream');
  const parser = new EventParser();
  // Laptops sleep and networks change without a word; a stream that keeps alive is never silent for long.
  let silence = 0;
  const guard = () => {
    clearTimeout(silence);
    if (!plain) silence = window.setTimeout(() => void reader.cancel(), LONGEST_SILENCE);
  };
  const cancel = () => void reader.cancel().catch(() => undefined);
  stop.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      guard();
      const { done, value } = await reader.read();
      if (done) break;
      if (plain) yield { name: 'chunk', data: value, id: '' };
      else yield* parser.feed(value);
    }
    if (plain) yield { name: 'end', data: '', id: '' };
  } finally {
    clearTimeout(silence);
    stop.removeEventListener('abort', cancel);
    cancel();
  }
}

/** Ends early when the browser is online again or the page is looked at again. */
function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      window.removeEventListener('online', over);
      document.removeEventListener('visibilitychange', seen);
      stop.removeEventListener('abort', over);
      resolve();
    };
    const seen = () => {
      if (document.visibilityState === 'visible') over();
    };
    const timer = window.setTimeout(over, milliseconds);
    window.addEventListener('online', over);
    document.addEventListener('visibilitychange', seen);
    stop.addEventListener('abort', over);
  });
}
