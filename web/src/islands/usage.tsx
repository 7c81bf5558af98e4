/** CPU and memory of a workload over the last ten minutes. */
import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { follow, type Live } from '../lib/follow';
import { bytes, cpus } from '../lib/format';
import { LiveNote } from '../lib/parts';
import { add, area, ceiling, line, points, type Sample } from '../lib/series';
import { json } from '../lib/sse';

const WIDTH = 600;
const HEIGHT = 100;

interface Usage {
  at: string | number;
  cpu_millis: number;
  memory_bytes: number;
  memory_limit_bytes?: number | null;
}

export function sampleOf(usage: Usage | undefined): Sample | undefined {
  if (!usage) return undefined;
  const at = new Date(usage.at).getTime();
  if (Number.isNaN(at) || !Number.isFinite(usage.cpu_millis) || !Number.isFinite(usage.memory_bytes)) return undefined;
  return { at, cpuMillis: usage.cpu_millis, memoryBytes: usage.memory_bytes, memoryLimitBytes: usage.memory_limit_bytes ?? undefined };
}

interface GraphProps {
  title: string;
  samples: { at: number; value: number }[];
  limit: number | undefined;
  say(value: number): string;
}

function Graph({ title, samples, limit, say }: GraphProps) {
  const last = samples[samples.length - 1];
  const top = ceiling(samples.map(({ value }) => value), limit);
  const dots = points(samples, last?.at ?? 0, top, WIDTH, HEIGHT);
  const tail = dots[dots.length - 1];
  const text = last ? `${say(last.value)}${limit ? ` of ${say(limit)}` : ''}` : 'no figure yet';
  return (
    <figure class="graph">
      <figcaption>
        <b>{title}</b>
        <output>{text}</output>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${title}: ${text}, up to ${say(Math.max(0, ...samples.map(({ value }) => value)))} in the last 10 minutes`}>
        {[0, 0.25, 0.5, 0.75].map((part) => (
          <line key={part} class="graph__grid" x1={0} x2={WIDTH} y1={part * HEIGHT} y2={part * HEIGHT} />
        ))}
        <path class="graph__area" d={area(dots, HEIGHT)} />
        <path class="graph__line" vector-effect="non-scaling-stroke" d={line(dots)} />
        {tail && <path class="graph__dot" d={`M${tail[0]} ${tail[1]}h0`} />}
      </svg>
      <div class="graph__axis" aria-hidden="true">
        <span>10 min ago</span>
        <span>top {say(top)}</span>
        <span>now</span>
      </div>
    </figure>
  );
}

interface Limits {
  cpu: number | undefined;
  memory: number | undefined;
}

function Usage({ url, limits, given }: { url: string; limits: Limits; given: Sample[] }) {
  const [samples, setSamples] = useState<Sample[]>(given);
  const [live, setLive] = useState<Live>('connecting');
  useEffect(
    () =>
      url === ''
        ? undefined
        : follow(url, {
            live: setLive,
            event: (event) => {
              const sample = event.name === 'usage' ? sampleOf(json<Usage>(event)) : undefined;
              if (sample) setSamples((last) => add(last, sample));
            },
          }),
    [url],
  );
  const memory = samples[samples.length - 1]?.memoryLimitBytes ?? limits.memory;
  return (
    <div class="stack">
      <div class="graphs">
        <Graph title="CPU" samples={samples.map(({ at, cpuMillis }) => ({ at, value: cpuMillis }))} limit={limits.cpu} say={cpus} />
        <Graph title="Memory" samples={samples.map(({ at, memoryBytes }) => ({ at, value: memoryBytes }))} limit={memory} say={bytes} />
      </div>
      <LiveNote live={live} />
    </div>
  );
}

const positive = (value: unknown) => (typeof value === 'number' && value > 0 ? value : undefined);

export function hydrate(element: HTMLElement, props: Record<string, unknown>): void {
  const id = encodeURIComponent(String(props.id ?? ''));
  const given = Array.isArray(props.samples) ? props.samples.map((one) => sampleOf(one as Usage)).filter((one) => one !== undefined) : [];
  const limits = { cpu: positive(props.cpu_limit_millis), memory: positive(props.memory_limit_bytes) };
  element.replaceChildren();
  render(<Usage url={id && `/api/v1/workloads/${id}/usage/stream`} limits={limits} given={given} />, element);
}
