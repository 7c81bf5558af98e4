// A notebook in a container: its image is built, a cell runs, and nothing of it is left behind.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';

import { becomeAdministrator, browser, launch, open, person, stop } from './browser.mjs';
import { command, Portico, until } from './portico.mjs';

const run = promisify(execFile);
const ENGINE = process.env.PORTICO_TEST_DOCKER;
const missing = ENGINE || process.env.CI === 'true' ? false : 'PORTICO_TEST_DOCKER names no engine';
const REALM = `e2e-${process.pid}`;

function config(portico) {
  const file = join(portico.home, 'portico.toml');
  writeFileSync(file, `data_dir = "${portico.data}"
[front]
listen = ["127.0.0.1:${portico.port}"]
public_url = "${portico.origin}"
[hub]
realm = "${REALM}"
[engine.docker]
kind = "docker"
host = "${ENGINE}"
`);
  return file;
}

async function docker(...args) {
  const { stdout } = await run('docker', ['--host', ENGINE, ...args]);
  return stdout.split('\n').filter(Boolean);
}

test('a notebook in a container computes, and leaves nothing behind', { skip: missing, timeout: 480_000 }, async () => {
  const portico = await Portico.prepare({ config });
  let chromium;
  try {
    const args = ['image', 'build', 'jupyter', '--base', 'portico/base:bookworm', '--config', config(portico)];
    const built = await command(args, { home: portico.home, seconds: 240 });
    assert.equal(built.code, 0, built.stderr);
    await portico.start();
    chromium = await browser();
    const ada = await person(chromium);
    const page = await ada.newPage();
    await becomeAdministrator(page, portico.link);
    await launch(page, portico.origin, 'Notebook in a container');
    const tab = await open(page);
    await tab.locator('.jp-LauncherCard[data-category=Notebook]').first().click();
    await tab.locator('.jp-Notebook').waitFor();
    await tab.locator('.jp-Notebook-ExecutionIndicator[data-status=idle]').first().waitFor();
    const cell = tab.locator('.jp-Notebook .jp-CodeCell').first();
    // The kernel says idle before the page has wired its keys: run until the cell took it.
    await cell.locator('.cm-content').click();
    await tab.keyboard.type('6*7');
    await until('42', async () => {
      await cell.locator('.cm-content').click();
      await tab.keyboard.press('Control+Enter');
      await cell.getByText('42', { exact: true }).waitFor({ timeout: 5_000 });
      return true;
    }, 60);
    await tab.close();

    const again = await open(page);
    await again.locator('.jp-LabShell').waitFor();
    await again.close();
    assert.equal((await docker('ps', '--quiet', '--filter', `label=portico.realm=${REALM}`)).length, 1);
    await stop(page);
    assert.deepEqual(await docker('ps', '--all', '--quiet', '--filter', `label=portico.realm=${REALM}`), []);
    assert.deepEqual(await docker('network', 'ls', '--quiet', '--filter', `label=portico.realm=${REALM}`), []);
  } finally {
    await chromium?.close();
    await portico.release();
    const left = await docker('ps', '--all', '--quiet', '--filter', `label=portico.realm=${REALM}`).catch(() => []);
    if (left.length > 0) await docker('rm', '--force', ...left);
    const volumes = await docker('volume', 'ls', '--quiet', '--filter', `label=portico.realm=${REALM}`).catch(() => []);
    if (volumes.length > 0) await docker('volume', 'rm', ...volumes);
  }
});
