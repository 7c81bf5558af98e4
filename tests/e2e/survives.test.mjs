// The hub dies by `kill -9` while a shell runs, and comes back: nothing is lost, nothing is started twice.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { becomeAdministrator, browser, launch, line, open, person, stop, type } from './browser.mjs';
import { Portico, until } from './portico.mjs';

let portico;
let chromium;
before(async () => {
  portico = await Portico.start();
  chromium = await browser();
});
after(async () => {
  await chromium?.close();
  await portico?.release();
});

test('a shell, its tab and its owner’s login outlive the hub', async () => {
  const ada = await person(chromium);
  const page = await ada.newPage();
  await becomeAdministrator(page, portico.link);
  await launch(page, portico.origin, 'Terminal');
  const tab = await open(page);
  await type(tab, 'kept=$((6*7)); echo "shell $$ has $kept"');
  const [, shell] = await line(tab, /^shell (\d+) has 42$/);
  const beside = () => portico.processes().map(({ pid }) => pid).sort();
  const before = beside();

  await portico.die();
  assert.equal(beside().length, before.length - 1, 'only the hub died');
  await portico.start();
  assert.equal(beside().length, before.length, 'nothing was started twice');
  assert.doesNotMatch(portico.output, /welcome\?token/);

  // The tab finds its shell by itself.
  await type(tab, 'echo "now $$ has $kept"');
  assert.deepEqual((await line(tab, /^now (\d+) has 42$/)).slice(1), [shell]);

  await page.reload();
  await page.locator('h1 .state[data-state=ready]').waitFor();
  const another = await open(page);
  await type(another, 'echo "here $$ has $kept"');
  assert.deepEqual((await line(another, /^here (\d+) has 42$/)).slice(1), [shell]);

  await stop(page);
  await until('only Portico itself runs', () => portico.processes().length === 1);
  await ada.close();
});
