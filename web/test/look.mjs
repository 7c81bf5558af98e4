// Takes the pictures that a person looks at: npm run look -- DIRECTORY
import { mkdir } from 'node:fs/promises';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const out = process.argv[2] ?? 'shots';
await mkdir(out, { recursive: true });
const server = await serve();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
for (const colorScheme of ['light', 'dark']) {
  for (const width of [390, 1440]) {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: width < 500 ? 844 : 900 }, hasTouch: width < 500, isMobile: width < 500 });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && console.log('console:', message.text()));
    page.on('pageerror', (error) => console.log('page error:', error.message));
    for (const name of ['gallery', 'gallery-pages']) {
      await page.goto(`${server.address}/${name}.html`);
      await page.waitForTimeout(1200);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: `${out}/${name}-${colorScheme}-${width}.png`, fullPage: true });
    }
    await page.goto(`${server.address}/assets/terminal.html`);
    await page.locator('[data-link="connected"]').waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('ls -la --color /usr | head -12; printf "\\e[31mred \\e[32mgreen \\e[33myellow \\e[34mblue \\e[35mmagenta \\e[36mcyan \\e[90mgrey\\e[0m\\n"\n', { delay: 2 });
    await page.waitForTimeout(800);
    await page.screenshot({ path: `${out}/terminal-${colorScheme}-${width}.png` });
    server.drop();
    await page.locator('[data-link="reconnecting"]').waitFor();
    await page.screenshot({ path: `${out}/terminal-lost-${colorScheme}-${width}.png` });
    await page.locator('[data-link="connected"]').waitFor();
    await page.locator('.xterm-helper-textarea').focus();
    await page.keyboard.type('exit\n');
    await page.locator('#notice').waitFor();
    await page.screenshot({ path: `${out}/terminal-over-${colorScheme}-${width}.png` });
    await context.close();
  }
}
await browser.close();
await server.close();
