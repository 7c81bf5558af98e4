import { expect, it } from 'vitest';
import { turned } from '../src/terminal/look';
import { ending, parse, resize, sequence, withControl } from '../src/terminal/protocol';

it('reads what the server says and nothing else', () => {
  expect(parse('{"type":"hello","cols":120,"rows":40,"title":"Terminal"}')).toEqual({ type: 'hello', cols: 120, rows: 40, title: 'Terminal' });
  expect(parse('{"type":"replay","bytes":5}')).toEqual({ type: 'replay', bytes: 5 });
  expect(parse('{"type":"exit","code":130}')).toEqual({ type: 'exit', code: 130 });
  expect(parse('{"type":"exit"}')).toEqual({ type: 'exit', code: null });
  for (const odd of ['', 'x', '7', 'null', '[]', '{"type":"future"}', '{"type":7}']) expect(parse(odd)).toBeUndefined();
  expect(parse(`{"type":"title","title":"${'x'.repeat(999)}"}`)).toEqual({ type: 'title', title: 'x'.repeat(200) });
});

it('asks only for sizes that a terminal can have', () => {
  expect(resize(120.7, 0)).toBe('{"type":"resize","cols":120,"rows":1}');
  expect(resize(99_999, 40)).toBe('{"type":"resize","cols":1000,"rows":40}');
});

it('sends the keys that phones lack', () => {
  expect([sequence('ArrowUp', false), sequence('ArrowUp', true), sequence('Escape', false), sequence('Nothing', false)]).toEqual(['\u001b[A', '\u001bOA', '\u001b', '']);
  expect([withControl('c'), withControl('C'), withControl(' '), withControl('['), withControl('long')]).toEqual(['\u0003', '\u0003', '\0', '\u001b', 'long']);
});

it('says in words why a shell is over', () => {
  expect([ending(0), ending(2), ending(137), ending(null)]).toEqual([
    'The shell has ended. Everything in the workspace is kept.',
    'The shell has ended with exit code 2.',
    'The shell was ended by signal 9.',
    'The shell has ended.',
  ]);
});

it('turns the text size within bounds', () => {
  expect([turned(14, true), turned(16, true), turned(28, true), turned(10, false), turned(13.5, false)]).toEqual([15, 18, 28, 10, 13]);
});
