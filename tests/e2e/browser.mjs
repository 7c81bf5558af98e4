// Chromium, and what people do in it.

import { createRequire } from 'node:module';
import { resolve } from 'node:path';

import { PASSWORD } from './portico.mjs';

const require = createRequire(resolve(import.meta.dirname, '../../web/package.json'));
const { chromium } = require('playwright-core');

export async function browser() {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

/** A person's browser: its own cookies. */
export async function person(chromium, options = {}) {
  const context = await chromium.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(45_000);
  return context;
}

export async function becomeAdministrator(page, link, name = 'Ada') {
  await page.goto(link);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password').fill(PASSWORD);
  await page.getByRole('button', { name: 'Make the account' }).click();
  await page.getByRole('heading', { name: 'Running now' }).waitFor();
}

export async function signIn(page, origin, name = 'Ada', password = PASSWORD) {
  await page.goto(`${origin}/sign-in`);
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

export async function signOut(page) {
  await page.locator('details.menu summary').click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.waitForURL('**/sign-in');
}

/** Launches an app from the home page; ends on the session's page. */
export async function launch(page, origin, title) {
  await page.goto(origin);
  await page.getByRole('link', { name: `Launch ${title}`, exact: true }).click();
  await page.getByRole('button', { name: 'Launch' }).click();
  await page.waitForURL(/\/workloads\/[^/]+$/);
  return page.url().split('/').pop();
}

/** Opens the session whose page is shown; returns the new tab. */
export async function open(page) {
  const tab = page.context().waitForEvent('page');
  await page.getByRole('link', { name: /^Open/ }).first().click();
  return tab;
}

/** Types a line into a terminal's tab once it is connected. */
export async function type(tab, line) {
  await tab.getByText('Connected', { exact: true }).waitFor();
  await tab.locator('.xterm-screen').click();
  await tab.keyboard.type(`${line}\n`);
}

/** Waits for a whole line on a terminal's screen and returns what `pattern` caught. */
export async function line(tab, pattern) {
  const found = await tab.waitForFunction((source) => {
    const rows = [...document.querySelectorAll('.xterm-rows > div')].map((row) => row.textContent.trimEnd());
    return rows.map((row) => row.match(new RegExp(source))).find(Boolean);
  }, pattern.source);
  return found.jsonValue();
}

/** Stops the session whose page is shown, and waits for its end. */
export async function stop(page) {
  await page.reload();
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await page.locator('h1 .state[data-state=stopped]').waitFor();
}
