import { describe, expect, it } from 'vitest';
import { wait } from '../src/lib/backoff';
import { csv } from '../src/lib/csv';
import { bytes, count, cpus } from '../src/lib/format';
import { clean, find, Lines, pieces } from '../src/lib/lines';
import { matches } from '../src/lib/match';
import { Rows } from '../src/lib/rows';
import { add, area, ceiling, points, SPAN } from '../src/lib/series';
import { EventParser, json } from '../src/lib/sse';
import { Start } from '../src/lib/steps';
import { elapsed, exact, relative } from '../src/lib/time';

const NOW = new Date('2026-11-20T22:00:00Z');
const before = (seconds: number) => new Date(NOW.getTime() - seconds * 1000);

describe('times', () => {
  it.each([
    [0, 'just now'],
    [44, 'just now'],
    [60, '1 min ago'],
    [3 * 60, '3 min ago'],
    [2 * 3600, '2 hr ago'],
    [86_400, 'yesterday'],
    [5 * 86_400, '5 days ago'],
    [-30, 'in a moment'],
    [-7200, 'in 2 hr'],
  ])('%i seconds ago reads %s', (seconds, words) => {
    expect(relative(before(seconds), NOW)).toBe(words);
  });

  it('is exact in the viewer’s zone', () => {
    expect(exact(NOW, 'Europe/Berlin')).toBe('20 Nov 2026, 23:00:00 CET');
  });

  it.each([
    [-5000, '0 s'],
    [9400, '9 s'],
    [252_000, '4 min 12 s'],
    [11_100_000, '3 h 05 min'],
    [187_200_000, '2 d 4 h'],
  ])('%i milliseconds last %s', (milliseconds, words) => {
    expect(elapsed(milliseconds)).toBe(words);
  });
});

describe('amounts', () => {
  it.each([
    [0, '0 B'],
    [1023, '1 KB'],
    [1536, '1.5 KB'],
    [325_058_560, '310 MB'],
    [4 * 1024 ** 3, '4 GB'],
    [-1, '0 B'],
  ])('%i bytes read %s', (amount, words) => {
    expect(bytes(amount)).toBe(words);
  });

  it('tells CPUs and counts', () => {
    expect([cpus(250), cpus(2000), cpus(64_000)]).toEqual(['0.25 CPU', '2 CPU', '64 CPU']);
    expect([count(1, 'line'), count(100_000, 'line')]).toEqual(['1 line', '100,000 lines']);
  });
});

it('waits longer after each failure, up to a bound, and a little at random', () => {
  expect([0, 1, 2, 3, 4, 5, 99].map((attempt) => wait(attempt, 0))).toEqual([500, 1000, 2000, 4000, 8000, 8000, 8000]);
  expect(wait(4, 1)).toBe(9600);
});

describe('server-sent events', () => {
  const text = ': hello\r\nevent: state\ndata: {"phase":\ndata: "ready"}\nid: 7\n\ndata: plain\r\n\r\n';

  it.each([1, 2, 3, 7, 1000])('are the same when cut every %i characters', (size) => {
    const parser = new EventParser();
    const seen = [];
    for (let at = 0; at < text.length; at += size) seen.push(...parser.feed(text.slice(at, at + size)));
    expect(seen).toEqual([
      { name: 'state', data: '{"phase":\n"ready"}', id: '7' },
      { name: 'message', data: 'plain', id: '7' },
    ]);
    expect(seen.map((event) => json(event))).toEqual([{ phase: 'ready' }, undefined]);
  });
});

describe('the lines of a log', () => {
  it('are joined however the stream is cut', () => {
    const lines = new Lines();
    for (const chunk of ['on', 'e\ntwo\nth', 'ree']) lines.feed(chunk);
    expect(lines.all).toEqual(['one', 'two', 'three']);
    lines.feed('!\n');
    lines.add('four');
    expect(lines.all).toEqual(['one', 'two', 'three!', 'four']);
  });

  it('lose colours, overwritten text and control characters, never their words', () => {
    expect(clean('\u001b[1;31mred\u001b[0m \u001b]0;title\u0007end\r')).toBe('red end');
    expect(clean('10 %\r42 %')).toBe('42 %');
    expect(clean('a\tb\u0000\u202ec')).toBe('a       b\u202ec');
    expect(clean('<script>alert(1)</script>')).toBe('<script>alert(1)</script>');
    expect(clean('x'.repeat(5000))).toMatch(/^x{4000} … \(1000 more characters\)$/);
  });

  it('are bounded, and keep their numbers', () => {
    const lines = new Lines(100);
    for (let line = 0; line < 250; line += 1) lines.add(String(line));
    expect(lines.all.length).toBeLessThanOrEqual(100);
    expect(lines.all[0]).toBe(String(lines.dropped));
    expect(lines.all.at(-1)).toBe('249');
  });

  it('are found whatever the letter case', () => {
    expect(find(['Kernel', 'disk', 'a kernel'], 'KERN')).toEqual([0, 2]);
    expect(pieces('a Kernel, kernel', 'kernel')).toEqual(['a ', 'Kernel', ', ', 'kernel', '']);
    expect(pieces('anything', '')).toEqual(['anything']);
  });

  it('are placed in rows when wrapped, 100,000 of them in a blink', () => {
    const lines = Array.from({ length: 100_000 }, (_, index) => 'x'.repeat(index % 200));
    const rows = new Rows(80);
    const began = performance.now();
    rows.grow(lines);
    lines.push('漢'.repeat(60));
    rows.grow(lines);
    expect(performance.now() - began).toBeLessThan(2000);
    expect(rows.total - rows.top(100_000)).toBe(2);
    for (const index of [0, 1, 81, 50_000, 99_999]) expect(rows.at(rows.top(index))).toBe(index);
    expect(rows.at(rows.total + 5)).toBe(100_000);
  });
});

it('finds entries by all words, without accents', () => {
  expect(matches('resume not', 'Notebook Résumé')).toBe(true);
  expect(matches('resume desk', 'Notebook Résumé')).toBe(false);
  expect(matches('  ', 'anything')).toBe(true);
});

it('exports cells that no spreadsheet runs', () => {
  expect(csv([['a,b', 'say "x"'], ['=1+1', 'two\nlines']])).toBe('"a,b","say ""x"""\r\n\'=1+1,"two\nlines"\r\n');
});

describe('the usage graph', () => {
  const sample = (at: number) => ({ at, cpuMillis: 1, memoryBytes: 1 });

  it('keeps ten minutes, in order, each sample once', () => {
    const all = [sample(1), sample(SPAN), sample(SPAN + 20_000), sample(SPAN)].reduce((kept, one) => add(kept, one), [] as ReturnType<typeof add>);
    expect(all.map(({ at }) => at)).toEqual([SPAN, SPAN + 20_000]);
  });

  it('ends its axis at the limit, or at a round number above the most', () => {
    expect([ceiling([3], 10), ceiling([12], 10), ceiling([340], undefined), ceiling([], undefined)]).toEqual([10, 20, 500, 1]);
  });

  it('draws the newest at the right', () => {
    const dots = points([{ at: 0, value: 0 }, { at: SPAN, value: 10 }], SPAN, 10, 600, 100);
    expect(dots).toEqual([[0, 100], [600, 0]]);
    expect(area(dots, 100)).toBe('M0 100L600 0L600 100L0 100Z');
    expect(area([], 100)).toBe('');
  });
});

describe('the steps of a start', () => {
  const told = (start: Start) => start.steps().map(({ name, state }) => `${name}: ${state}`);

  it('show optional steps only when they happen, and never go back', () => {
    const start = new Start();
    start.hear({ phase: 'requested' });
    expect(told(start)).toEqual(['Accepted: now', 'Preparing the workspace: next', 'Starting: next', 'First answer of the app: next']);
    start.hear({ phase: 'queued', place: 3 });
    expect(start.steps()[1]).toMatchObject({ name: 'Waiting for room', state: 'now', detail: 'Place 3 in the queue' });
    start.hear({ phase: 'starting', step: 'pulling', image: 'jupyter:4', percent: 42 });
    expect(start.steps().find(({ state }) => state === 'now')).toMatchObject({ detail: 'jupyter:4, 42 %', percent: 42 });
    start.hear({ phase: 'starting' });
    expect(start.steps().find(({ state }) => state === 'now')?.name).toBe('Pulling the image');
    start.hear({ phase: 'ready' });
    expect(start.steps().every(({ state }) => state === 'done')).toBe(true);
  });

  it('mark the step that failed', () => {
    const start = new Start();
    start.hear({ phase: 'starting', step: 'starting' });
    start.hear({ phase: 'failed', reason: 'exit code 127' });
    expect(told(start).at(-1)).toBe('First answer of the app: failed');
  });
});
