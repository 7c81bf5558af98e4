// What people come for: from the first link to a shell that is still there, with and without JavaScript.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { becomeAdministrator, browser, launch, line, open, person, signIn, signOut, stop, type } from './browser.mjs';
import { PASSWORD, Portico, until } from './portico.mjs';

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

test('the first link leads to a shell that is still there after its tab was closed', async () => {
  const ada = await person(chromium);
  const page = await ada.newPage();
  const link = portico.link;
  await becomeAdministrator(page, link);

  const id = await launch(page, portico.origin, 'Terminal');
  const tab = await open(page);
  await type(tab, 'kept=$((6*7)); echo "got $kept"');
  await line(tab, /^got 42$/);
  assert.match(tab.url(), new RegExp(`^http://[a-z0-9-]+\\.localhost:${portico.port}/`));
  await tab.close();

  const again = await open(page);
  await type(again, 'echo "still $kept"');
  await line(again, /^still 42$/);
  await again.close();

  await stop(page);
  await page.goBack();
  await page.goto(`${portico.origin}/workloads/${id}`);
  await page.getByRole('button', { name: 'Restart' }).waitFor();
  assert.equal(await page.getByRole('link', { name: 'Open', exact: true }).count(), 0);
  await until('only Portico itself runs', () => portico.processes().length === 1);

  const used = await page.goto(link);
  assert.equal(used.status(), 410);
  assert.match(await page.locator('main').innerText(), /used|asks?|new (one|link)/i);
  await ada.close();
});

test('a wrong password is answered by a sentence, the right one by home', async () => {
  const ada = await person(chromium);
  const page = await ada.newPage();
  await signIn(page, portico.origin, 'Ada', 'not this one at all');
  await page.getByRole('alert').getByText('The name or the password is wrong.').waitFor();
  assert.equal(await page.getByLabel('Name').inputValue(), 'Ada');
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Running now' }).waitFor();
  await signOut(page);
  await page.goto(`${portico.origin}/workloads`);
  await page.waitForURL('**/sign-in*');
  await ada.close();
});

test('signing in, launching and stopping work without JavaScript', async () => {
  const plain = await person(chromium, { javaScriptEnabled: false });
  const page = await plain.newPage();
  await signIn(page, portico.origin);
  await page.getByRole('heading', { name: 'Running now' }).waitFor();
  await launch(page, portico.origin, 'Terminal');
  await page.locator('h1 .state[data-state=ready]').waitFor();
  await stop(page);
  await signOut(page);
  await plain.close();
});

test('signing out ends an open terminal at once', async () => {
  const ada = await person(chromium);
  const page = await ada.newPage();
  await signIn(page, portico.origin);
  await page.getByRole('heading', { name: 'Running now' }).waitFor();
  await launch(page, portico.origin, 'Terminal');
  const tab = await open(page);
  await type(tab, 'echo "here $((1+1))"');
  await line(tab, /^here 2$/);
  await signOut(page);
  await tab.getByText('Your access to this session has ended', { exact: false }).waitFor();
  await ada.close();
});
