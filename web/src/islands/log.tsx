/** The log view: only the lines in sight are in the page, so that 100,000 of them scroll like ten. */
import { render } from 'preact';
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { follow, type Live } from '../lib/follow';
import { count } from '../lib/format';
import { find, Lines, pieces } from '../lib/lines';
import { copyText, recall, remember, save } from '../lib/page';
import { Icon, LiveNote } from '../lib/parts';
import { Rows } from '../lib/rows';
import type { ServerEvent } from '../lib/sse';
import { toast } from '../lib/toast';

const HEIGHT = 20;
const SPARE = 20;

export interface LogProps {
  lines: Lines;
  /** Where the rest comes from; without it the log is complete. */
  url?: string | undefined;
  name: string;
}

/** The text of a log event: plain, or JSON with the line in it. */
export function lineOf(event: ServerEvent): string {
  if (!event.data.startsWith('{') && !event.data.startsWith('"')) return event.data;
  try {
    const seen: unknown = JSON.parse(event.data);
    if (typeof seen === 'string') return seen;
    if (typeof seen === 'object' && seen !== null) {
      const { line, text } = seen as { line?: unknown; text?: unknown };
      if (typeof (line ?? text) === 'string') return String(line ?? text);
    }
  } catch {
    // A line of the app that only looks like JSON.
  }
  return event.data;
}

/** Fills `lines` from the server and asks for a drawing at most once per frame. */
function useStream(lines: Lines, url: string | undefined, draw: () => void): Live {
  const [live, setLive] = useState<Live>(url ? 'connecting' : 'ended');
  useEffect(() => {
    if (!url) return undefined;
    let asked = 0;
    const later = () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        draw();
      });
    };
    let whole = true;
    const stop = follow(url, {
      live: setLive,
      // Events with an id go on where they stopped; anything else begins at the beginning again.
      open: (first) => {
        if (first || whole) lines.clear();
        later();
      },
      event: (event) => {
        if (event.name === 'end') return;
        whole = event.id === '';
        if (event.name === 'chunk') lines.feed(event.data);
        else lines.add(lineOf(event));
        later();
      },
    });
    return () => {
      stop();
      cancelAnimationFrame(asked);
    };
  }, [url]);
  return live;
}

export function LogView({ lines, url, name }: LogProps) {
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  const live = useStream(lines, url, () => draw(undefined));
  const [following, setFollowing] = useState(true);
  const [wrap, setWrap] = useState(recall('log.wrap') === 'on');
  const [words, setWords] = useState('');
  const [hit, setHit] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const ruler = useRef<HTMLSpanElement>(null);
  const [view, setView] = useState({ top: 0, height: 400, columns: 0 });
  const cache = useRef<{ rows: Rows; dropped: number }>(null);

  const { all } = lines;
  const columns = wrap ? view.columns : 0;
  let known = cache.current;
  if (!known || known.rows.columns !== columns || known.dropped !== lines.dropped || known.rows.length > all.length) {
    known = { rows: new Rows(columns), dropped: lines.dropped };
    cache.current = known;
  }
  known.rows.grow(all);
  const { rows } = known;
  const hits = useMemo(() => find(all, words), [words, all.length, lines.dropped, all[all.length - 1]]);
  const current = hits[Math.min(hit, hits.length - 1)];

  const measure = () => {
    const element = box.current;
    const letter = (ruler.current?.getBoundingClientRect().width ?? 0) / 100;
    if (!element || letter === 0) return;
    setView({ top: element.scrollTop, height: element.clientHeight, columns: Math.max(10, Math.floor((element.clientWidth - 24) / letter)) });
  };
  useEffect(() => {
    const watch = new ResizeObserver(measure);
    if (box.current) watch.observe(box.current);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const scrolled = () => {
    const element = box.current;
    if (!element) return;
    const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - HEIGHT;
    if (atEnd !== following) setFollowing(atEnd);
    setView((last) => ({ ...last, top: element.scrollTop, height: element.clientHeight }));
  };
  const go = (to: number) => {
    if (hits.length === 0 || !box.current) return;
    const index = (to + hits.length) % hits.length;
    setFollowing(false);
    setHit(index);
    box.current.scrollTop = Math.max(0, rows.top(hits[index] ?? 0) * HEIGHT - view.height / 2);
  };
  const text = () => `${all.join('\n')}\n`;
  const from = Math.max(0, rows.at(Math.floor(view.top / HEIGHT)) - SPARE);
  const to = Math.min(all.length, rows.at(Math.ceil((view.top + view.height) / HEIGHT)) + SPARE);
  const wide = wrap ? undefined : { minWidth: `${all.slice(from, to).reduce((most, line) => Math.max(most, line.length), 0) + 4}ch` };

  return (
    <div class="log">
      <div class="log__bar">
        <input
          class="input"
          type="search"
          aria-label="Search the log"
          placeholder="Search the log"
          value={words}
          onInput={(event) => {
            setWords(event.currentTarget.value);
            setHit(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') go(event.shiftKey ? hit - 1 : words === '' ? 0 : hit + 1);
            if (event.key === 'Escape') setWords('');
          }}
        />
        {words !== '' && (
          <>
            <span class="log__count" role="status">
              {hits.length === 0 ? 'no match' : `${Math.min(hit, hits.length - 1) + 1} of ${hits.length.toLocaleString('en')}`}
            </span>
            <Tool icon="up" label="Previous match" act={() => go(hit - 1)} />
            <Tool icon="down" label="Next match" act={() => go(hit + 1)} />
          </>
        )}
        <span class="log__count">
          <LiveNote live={live}>{count(all.length + lines.dropped, 'line')}</LiveNote>
        </span>
        <div class="log__end">
          <Tool
            icon="follow"
            label="Follow the end"
            pressed={following}
            act={() => setFollowing(!following)}
          />
          <Tool
            icon="wrap"
            label="Wrap long lines"
            pressed={wrap}
            act={() => {
              remember('log.wrap', wrap ? 'off' : 'on');
              setWrap(!wrap);
            }}
          />
          <Tool icon="copy" label="Copy all" act={() => void copyText(text()).then((done) => toast(done ? 'Copied.' : 'Not copied: download it instead.'))} />
          <Tool icon="download" label="Download" act={() => save(`${name}.log`, 'text/plain;charset=utf-8', [text()])} />
        </div>
      </div>
      <div class="log__lines" ref={box} tabIndex={0} role="log" aria-live="off" aria-label="Log" onScroll={scrolled}>
        <span class="log__ruler" ref={ruler} aria-hidden="true">
          {'0'.repeat(100)}
        </span>
        {all.length === 0 ? (
          <p class="log__empty">{live === 'ended' ? 'The app has written nothing.' : 'The app has written nothing yet.'}</p>
        ) : (
          <div class={`log__space ${wrap ? 'log__space--wrap' : ''}`} style={{ height: `${rows.total * HEIGHT + 16}px`, ...wide }}>
            {all.slice(from, to).map((line, offset) => {
              const index = from + offset;
              return (
                <div
                  key={index + lines.dropped}
                  class={`log__line ${index === current && words ? 'log__line--now' : ''}`}
                  style={{ top: `${rows.top(index) * HEIGHT + 8}px`, height: `${rows.rowsOf(line) * HEIGHT}px` }}
                >
                  {pieces(line, words).map((piece, turn) => (turn % 2 === 1 ? <mark key={turn}>{piece}</mark> : piece))}
                </div>
              );
            })}
          </div>
        )}
      </div>
    </div>
  );
}

function Tool({ icon, label, pressed, act }: { icon: string; label: string; pressed?: boolean; act(): void }) {
  return (
    <button
      type="button"
      class="button button--quiet button--small button--square"
      aria-label={label}
      title={label}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
}

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const lines = new Lines();
  // What the server rendered is the start: an ended workload may have no more to tell.
  const shown = element.querySelector('pre')?.textContent ?? '';
  if (shown !== '') lines.add(shown);
  const id = encodeURIComponent(String(props.id ?? ''));
  const url = typeof props.url === 'string' ? props.url : id && `/api/v1/workloads/${id}/logs?follow=${props.live === true}`;
  const name = String(props.name ?? (id || 'session'));
  element.replaceChildren();
  render(<LogView lines={lines} url={url || undefined} name={name} />, element);
}
