import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DARK, LIGHT } from '../src/terminal/look';

const css = readFileSync(new URL('../src/styles/tokens.css', import.meta.url), 'utf8');
const tokens = new Map(
  [...css.matchAll(/--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [name, { light: light ?? '', dark: dark ?? '' }]),
);

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5]
    .map((at) => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

const GROUNDS = ['bg', 'surface', 'sunken', 'hover'];
const TEXT: [string, string][] = [
  ...GROUNDS.flatMap((ground): [string, string][] => [['text', ground], ['muted', ground]]),
  ...['bg', 'surface', 'hover'].flatMap((ground): [string, string][] => [['accent', ground], ['accent-strong', ground], ['bad', ground]]),
  ...['ok', 'busy', 'bad', 'info'].map((state): [string, string] => [state, `${state}-soft`]),
  ...['ok', 'busy', 'bad', 'info'].map((state): [string, string] => [state, 'surface']),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-strong'],
  ['surface', 'bad'],
  ['surface', 'ok'],
  ['accent', 'accent-soft'],
  ['text', 'accent-soft'],
  ['muted', 'accent-soft'],
  ['bg', 'text'],
  ['console-text', 'console'],
  ['console-muted', 'console'],
  ['on-console-mark', 'console-mark'],
];
const MARKS: [string, string][] = [
  ...['bg', 'surface', 'sunken'].map((ground): [string, string] => ['line-strong', ground]),
  ...['bg', 'surface', 'sunken'].map((ground): [string, string] => ['accent', ground]),
  ['busy-mark', 'surface'],
  ['busy-mark', 'sunken'],
];

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const ratio = ([mark, ground]: [string, string]) => contrast(tokens.get(mark)?.[theme] ?? '', tokens.get(ground)?.[theme] ?? '');

  it.each(TEXT)('the text colour %s can be read on %s', (...pair) => {
    expect(ratio(pair)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(MARKS)('the mark %s can be seen on %s', (...pair) => {
    expect(ratio(pair)).toBeGreaterThanOrEqual(3);
  });

  it('the terminal’s colours can be read on its ground', () => {
    const { background, foreground, cursor, ...palette } = theme === 'dark' ? DARK : LIGHT;
    const { cursorAccent: _, selectionBackground: __, black: ___, ...colours } = palette as Record<string, string>;
    for (const [name, colour] of Object.entries({ foreground, cursor, ...colours })) {
      expect(contrast(String(colour), String(background)), name).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it('no other file names a colour', () => {
  for (const name of ['base', 'layout', 'header', 'forms', 'data', 'feedback', 'log', 'print']) {
    const rules = readFileSync(new URL(`../src/styles/${name}.css`, import.meta.url), 'utf8');
    expect(rules.match(/#[0-9a-f]{3,8}\b|rgb\(|hsl\(/gi) ?? [], name).toEqual([]);
  }
});
