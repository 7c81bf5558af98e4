// What goes wrong at a start ends in a sentence that says what to do.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { command, Portico } from './portico.mjs';

async function prepared(use, options) {
  const portico = await Portico.prepare(options);
  try {
    await use(portico);
  } finally {
    await portico.release();
  }
}

const demo = (portico, data = portico.data, port = portico.port) =>
  command(['demo', '--data', data, '--listen', `127.0.0.1:${port}`], { home: portico.home });

function refused({ code, stderr }, ...words) {
  assert.notEqual(code, 0);
  for (const word of words) assert.match(stderr, word);
  assert.doesNotMatch(stderr, /panicked|RUST_BACKTRACE/);
}

test('a port that is taken is named', () => prepared(async (portico) => {
  await portico.start();
  refused(await demo(portico, join(portico.home, 'other')), new RegExp(`127\\.0\\.0\\.1:${portico.port}`), /in use/i);
}));

test('a second hub on the same data is refused and the first one lives on', () => prepared(async (portico) => {
  await portico.start();
  const other = await Portico.prepare();
  refused(await demo(portico, portico.data, other.port), /another|already|in use|locked/i);
  await other.release();
  assert.equal((await portico.get('/api/v1/health')).status, 200);
}));

test('a data directory that cannot be made is named, with the options that move it', () => prepared(async (portico) => {
  writeFileSync(join(portico.home, 'file'), '');
  refused(await demo(portico, join(portico.home, 'file/data')), /file\/data/, /--data|data_dir/);
}));

test('a mistake in the configuration is shown with line and column', () => prepared(async (portico) => {
  mkdirSync(portico.home, { recursive: true });
  const file = join(portico.home, 'portico.toml');
  writeFileSync(file, 'data_dir = "/tmp/x"\n[front]\n  colour = 1\n');
  refused(await command(['serve', '--config', file], { home: portico.home }), /portico\.toml:3:3: /);
  refused(await command(['serve', '--config', join(portico.home, 'none.toml')], { home: portico.home }), /none\.toml/);
}));
