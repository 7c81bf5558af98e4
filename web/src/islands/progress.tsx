/** The start of a workload, step by step, with the time it takes; then *Open*, or the reason why not. */
import { render } from 'preact';
import { useEffect, useMemo, useReducer, useState } from 'preact/hooks';
import { follow, type Live } from '../lib/follow';
import { Lines } from '../lib/lines';
import { Icon, LiveNote, StateBadge } from '../lib/parts';
import { json, type ServerEvent } from '../lib/sse';
import { type Heard, Start } from '../lib/steps';
import { elapsed } from '../lib/time';
import { lineOf } from './log';

const LAST_LINES = 12;

interface Props {
  id: string;
  name: string;
  /** Where *Open* leads. */
  open: string;
  state: string;
  /** When this start was asked for, in milliseconds since 1970. */
  since: number;
}

/** Reads `state` and `step` events; both may carry the state as text or as an object with `phase`. */
export function heardOf(event: ServerEvent, last: string): Heard | undefined {
  const seen = json<Record<string, unknown>>(event);
  if (!seen || typeof seen !== 'object') return undefined;
  const inner = typeof seen.state === 'object' && seen.state !== null ? (seen.state as Record<string, unknown>) : {};
  const text = (key: string) => [seen[key], inner[key]].find((value) => typeof value === 'string') as string | undefined;
  const number = (key: string) => [seen[key], inner[key]].find((value) => typeof value === 'number') as number | undefined;
  const phase = event.name === 'step' ? last : (text('phase') ?? (typeof seen.state === 'string' ? seen.state : last));
  return {
    phase: event.name === 'step' && phase === 'requested' ? 'starting' : phase,
    step: event.name === 'step' ? text('step') : undefined,
    image: text('image'),
    percent: number('percent'),
    place: number('place'),
    reason: text('reason') ?? text('failure'),
    advice: text('advice'),
  };
}

function Progress({ id, name, open, state, since }: Props) {
  const start = useMemo(() => {
    const made = new Start();
    made.hear({ phase: state });
    return made;
  }, []);
  const lines = useMemo(() => new Lines(1000), []);
  const [, draw] = useReducer((turn: number) => turn + 1, 0);
  const [live, setLive] = useState<Live>('connecting');
  const [failure, setFailure] = useState<Heard>();
  const [ended, setEnded] = useState<number>();
  const now = useSecond(ended === undefined);

  useEffect(
    () =>
      follow(`/api/v1/workloads/${encodeURIComponent(id)}/events/stream`, {
        live: setLive,
        event: (event) => {
          if (event.name === 'log') lines.add(lineOf(event));
          const heard = event.name === 'state' || event.name === 'step' ? heardOf(event, start.phase) : undefined;
          if (heard) {
            start.hear(heard);
            if (heard.phase === 'failed') setFailure(heard);
            if (['ready', 'failed', 'stopped'].includes(heard.phase)) setEnded((last) => last ?? Date.now());
          }
          draw(undefined);
        },
      }),
    [],
  );

  const ready = start.phase === 'ready';
  const over = ready || start.phase === 'failed' || start.phase === 'stopped';
  useEffect(() => {
    document.title = document.title.replace(/^(?:✓ |! )?/, ready ? '✓ ' : start.phase === 'failed' ? '! ' : '');
    for (const badge of document.querySelectorAll<HTMLElement>('.page-head .state')) {
      badge.dataset.state = start.phase;
      badge.textContent = start.phase;
    }
  }, [start.phase]);

  return (
    <div class="stack">
      <div class="row progress__head">
        <StateBadge state={start.phase} />
        <span class="small muted">{elapsed((ended ?? now) - since)}</span>
        {!over && <LiveNote live={live} />}
      </div>
      <ol class="steps">
        {start.steps().map((step) => (
          <li key={step.name} data-step={step.state === 'next' ? undefined : step.state} aria-current={step.state === 'now' ? 'step' : undefined}>
            <span class="steps__mark" />
            <b>
              {step.name}
              <span class="visually-hidden">{{ done: ', done', now: ', now', failed: ', failed', next: ', to come' }[step.state]}</span>
            </b>
            {step.detail && (
              <span class="steps__detail">
                {step.detail}
                {step.percent !== undefined && <progress max={100} value={step.percent} aria-label={step.name} />}
              </span>
            )}
          </li>
        ))}
      </ol>
      <div role="status">
        {ready && (
          <div class="row">
            <a class="button button--primary" href={open} target="_blank" rel="noopener">
              <Icon name="open" />
              Open {name}
            </a>
          </div>
        )}
        {start.phase === 'stopped' && <p class="muted">It was stopped.</p>}
        {failure && (
          <div class="banner banner--bad">
            <Icon name="warning" />
            <div>
              <b>{failure.reason ?? 'It could not be started.'}</b> {failure.advice}
            </div>
          </div>
        )}
      </div>
      {over && (
        <p class="small">
          <a href={location.pathname}>Show the whole page</a>
        </p>
      )}
      {lines.all.length > 0 && (
        <details class="disclosure" open={failure !== undefined}>
          <summary>Last lines of the app</summary>
          <pre class="log" tabIndex={0}>
            {lines.all.slice(-LAST_LINES).join('\n')}
          </pre>
        </details>
      )}
    </div>
  );
}

/** The present moment, once a second while it matters. */
function useSecond(running: boolean): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (!running) return undefined;
    const timer = window.setInterval(() => setNow(Date.now()), 1000);
    return () => window.clearInterval(timer);
  }, [running]);
  return now;
}

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  if (typeof props.id !== 'string') return;
  const since = Date.parse(String(props.since ?? ''));
  const page = (selector: string) => document.querySelector(selector)?.textContent?.trim();
  const shown: Props = {
    id: props.id,
    name: String(props.name ?? page('.breadcrumb [aria-current]') ?? 'the app'),
    open: String(props.open ?? '#'),
    state: String(props.state ?? page('.page-head .state') ?? 'requested'),
    since: Number.isNaN(since) ? Date.now() : since,
  };
  const heading = element.querySelector('h2');
  const island = document.createElement('div');
  element.replaceChildren(...(heading ? [heading] : []), island);
  render(<Progress {...shown} />, island);
}
