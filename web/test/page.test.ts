// The built files in a real browser, under the portal's own content policy.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serve } from './serve.mjs';

const DIST = new URL('../dist/', import.meta.url);
const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const ready = existsSync(new URL('portico.js', DIST)) && existsSync(CHROMIUM);
const AXE = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

if (!ready && process.env.CI === 'true') throw new Error(`needs "npm run build" first, and Chromium at ${CHROMIUM}`);

it.skipIf(!ready)('the first page weighs at most 60 kB compressed', () => {
  const first = ['portico.css', 'portico.js', 'icons.svg', 'favicon.svg', ...readdirSync(new URL('assets/', DIST)).map((name) => `assets/${name}`)];
  const weight = first.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, DIST))).length, 0);
  // Every island counted, though no page has them all; 15 kB are left for the page itself.
  expect(weight).toBeLessThanOrEqual(45_000);
});

describe.skipIf(!ready)('the gallery', () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    server = await serve();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  /** Opens a page, gives it to the test, and fails on any error or foreign request in it, but for those that are meant. */
  async function look(path: string, options: BrowserContextOptions, test: (page: Page) => Promise<void>, meant = /^$/) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => message.type() === 'error' && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('request', (request) => /^(data|blob):/.test(request.url()) || request.url().startsWith(server.address) || wrong.push(request.url()));
    await page.goto(server.address + path);
    await test(page);
    await context.close();
    expect(wrong.filter((text) => !meant.test(text))).toEqual([]);
  }

  const hydrated = (page: Page) => page.locator('.log__line').first().waitFor();

  it.each([
    ['light', 1440, '/gallery.html'],
    ['dark', 1440, '/gallery.html'],
    ['light', 390, '/gallery.html'],
    ['dark', 390, '/gallery.html'],
    ['light', 1440, '/gallery-pages.html'],
    ['dark', 390, '/gallery-pages.html'],
  ] as const)('has no serious finding of axe: %s, %i wide, %s', async (colorScheme, width, path) => {
    // axe is put in through the debugger, which the policy does not bind.
    await look(path, { colorScheme, viewport: { width, height: 900 } }, async (page) => {
      if (path === '/gallery.html') await hydrated(page);
      await page.evaluate(AXE);
      const found = await page.evaluate(async () => {
        const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> } };
        const { violations } = await axe.run();
        return violations.filter(({ impact }) => impact === 'serious' || impact === 'critical').map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      });
      expect(found).toEqual([]);
    });
  });

  it.each([360, 768, 1280, 1920])('does not scroll sideways at %i', async (width) => {
    await look('/gallery.html', { viewport: { width, height: 800 } }, async (page) => {
      await hydrated(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
    });
  });

  it('shows everything without JavaScript', async () => {
    await look('/gallery.html', { javaScriptEnabled: false }, async (page) => {
      for (const text of ['ServerApp is running', 'Pulling the image', 'CPU 12 %, memory 310 MB of 4 GB', '2026-11-20 22:03 UTC', 'Load more']) {
        expect(await page.getByText(text).first().isVisible(), text).toBe(true);
      }
    });
  });

  it('searches the cards from the keyboard', async () => {
    await look('/gallery.html', {}, async (page) => {
      await page.locator('.search input').waitFor();
      await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
      await page.keyboard.press('/');
      await page.keyboard.type('note python');
      await expect.poll(() => page.locator('#apps > li:visible').count()).toBe(1);
      await page.keyboard.press('Escape');
      await expect.poll(() => page.locator('#apps > li:visible').count()).toBe(5);
    });
  });

  it('walks the rows of a table and remembers its columns', async () => {
    await look('/gallery.html', {}, async (page) => {
      await page.getByText('Columns').click();
      await page.getByLabel('Owner', { exact: true }).uncheck();
      await page.reload();
      await page.getByText('Columns').waitFor();
      await expect.poll(() => page.getByRole('columnheader', { name: 'Owner' }).isVisible()).toBe(false);
      await page.locator('tbody tr').first().focus();
      await page.keyboard.press('ArrowDown');
      await expect.poll(() => page.evaluate(() => document.activeElement?.getAttribute('data-id'))).toBe('w2');
    });
  });

  it('shows the start of one session and the failure of another', async () => {
    await look('/gallery.html', {}, async (page) => {
      await page.getByText('jupyter:4, 42 %').waitFor();
      await page.getByText('The app ended with exit code 127.').waitFor();
      expect(await page.getByText('exec: start-desktop: not found').isVisible()).toBe(true);
    });
  });

  it('says when live updates are lost, and comes back', async () => {
    const cut = async (page: Page) => {
      await page.getByText('jupyter:4, 42 %').waitFor();
      await page.route('**/stream', (route) => route.fulfill({ status: 503 }));
      server.drop();
      await page.getByText('Live updates are lost').first().waitFor();
      await page.unroute('**/stream');
      await page.getByText('Live updates are lost').first().waitFor({ state: 'detached' });
    };
    await look('/gallery.html', {}, cut, /^Failed to load resource/);
  });

  it('opens a confirm page as a dialog and closes it again', async () => {
    await look('/gallery.html', {}, async (page) => {
      await hydrated(page);
      await page.locator('a[data-confirm]').click();
      await page.getByRole('dialog', { name: 'Delete “Notebook”?' }).waitFor();
      await page.keyboard.press('Escape');
      expect(await page.evaluate(() => document.activeElement?.hasAttribute('data-confirm'))).toBe(true);
    });
  });

  it('shows 100,000 log lines as quickly as ten', async () => {
    process.env.LINES = '100000';
    await look('/gallery.html', {}, async (page) => {
      await page.getByText('100,000 lines').waitFor();
      const { slowest, drawn } = await page.evaluate(async () => {
        const box = document.querySelector('.log__lines') as HTMLElement;
        const frame = () => new Promise(requestAnimationFrame);
        let slowest = 0;
        for (let step = 0; step < 40; step += 1) {
          const began = performance.now();
          box.scrollTop = (box.scrollHeight / 40) * step;
          await frame();
          await frame();
          slowest = Math.max(slowest, performance.now() - began);
        }
        return { slowest, drawn: document.querySelectorAll('.log__line').length };
      });
      expect(drawn).toBeLessThan(120);
      expect(slowest).toBeLessThan(400);
      await page.getByLabel('Search the log').fill('line 50000');
      await page.getByText('1 of 1', { exact: true }).waitFor();
      await page.keyboard.press('Enter');
      expect(await page.locator('.log__line mark').textContent()).toBe('line 50000');
      await page.getByLabel('Wrap long lines').click();
      await page.getByLabel('Follow the end').click();
      await page.getByText('line 100000', { exact: false }).waitFor();
    }).finally(() => delete process.env.LINES);
  });

  it('keeps the theme that was chosen', async () => {
    await look('/gallery.html', { colorScheme: 'light' }, async (page) => {
      await page.getByLabel('Theme: as the system').click();
      await page.getByLabel('Theme: light').click();
      expect(await page.evaluate(() => [document.documentElement.dataset.theme, document.cookie])).toEqual(['dark', 'portico-theme=dark']);
    });
  });
});

describe.skipIf(!ready)('the terminal page', () => {
  it('types, survives a lost connection, and says when the shell has ended', async () => {
    const server = await serve();
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.address}/assets/terminal.html`);
      const shown = (text: RegExp) => page.locator('.xterm-rows > div').filter({ hasText: text }).first().waitFor();
      const type = async (text: string) => {
        await page.locator('.xterm-helper-textarea').focus();
        await page.keyboard.type(text);
      };
      await page.locator('[data-link="connected"]').waitFor();
      await type('echo $((6 * 7))\n');
      await shown(/^42$/);
      server.drop();
      await page.locator('[data-link="reconnecting"]').waitFor();
      await page.locator('[data-link="connected"]').waitFor();
      await type('exit 3\n');
      await page.getByText('The shell has ended with exit code 3.').waitFor();
      expect(await page.getByRole('button', { name: 'Start a new shell' }).isVisible()).toBe(true);
    } finally {
      await browser.close();
      await server.close();
    }
  });
});
