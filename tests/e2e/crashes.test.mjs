// Portico dies at a named moment and comes back: the record is there, the session settles, at most one
// instance of it ever runs, and after a stop nothing is left.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { MORTAL, Portico, until } from './portico.mjs';

const LAUNCHING = [
  'launch.before-insert',
  'launch.after-insert',
  'reconcile.before-start-row',
  'reconcile.after-start-row',
  'reconcile.before-engine',
  'local.before-mkdir',
  'local.after-mkdir',
  'local.after-plan',
  'local.after-shim',
  'reconcile.after-engine',
  'reconcile.before-ready-row',
  'reconcile.after-ready-row',
];
const STOPPING = [
  'stop.after-row',
  'local.before-stop',
  'local.after-term',
  'reconcile.after-engine-stop',
  'reconcile.after-logs',
  'local.before-remove',
  'reconcile.after-remove',
  'reconcile.before-ended-row',
  'reconcile.after-ended-row',
];

/** Instances that run, by the program that watches over each. */
const shims = (portico) => portico.processes().filter(({ command }) => command.includes(' internal shim '));

async function within(portico, use) {
  try {
    await use(await portico);
  } finally {
    await (await portico).release();
  }
}

/** It must have died of the point and not of anything else. */
async function died(portico) {
  const { signal } = await until('its death', () => Promise.race([portico.ended, undefined])).catch(async () => {
    throw new Error(`it lives on:\n${portico.log}`);
  });
  assert.equal(signal, 'SIGABRT', portico.log);
}

async function stopsCleanly(portico, ada, id) {
  await ada.settle(id, 'stopped');
  assert.deepEqual((await ada.workloads()).map((row) => row.id), [id]);
  await until('only Portico itself runs', () => portico.processes().length === 1);
}

for (const point of LAUNCHING) {
  test(`dying at ${point} starts a session once`, () => within(Portico.start({ binary: MORTAL }), async (portico) => {
    const ada = await portico.becomeAdministrator();
    await portico.stop();
    await portico.start({ PORTICO_FAILPOINT: point });
    const launched = await ada.launch().catch(() => undefined);
    await died(portico);
    assert.ok(shims(portico).length <= 1);

    await portico.start();
    const rows = await ada.workloads();
    if (point === 'launch.before-insert') {
      assert.deepEqual(rows, []);
      assert.deepEqual(shims(portico), []);
      return;
    }
    assert.equal(rows.length, 1);
    if (launched) assert.equal(rows[0].id, launched);
    await ada.settle(rows[0].id, 'ready');
    assert.equal(shims(portico).length, 1);
    await ada.post(`/workloads/${rows[0].id}/stop`);
    await stopsCleanly(portico, ada, rows[0].id);
  }));
}

for (const point of STOPPING) {
  test(`dying at ${point} ends a session for good`, () => within(Portico.start({ binary: MORTAL }), async (portico) => {
    const ada = await portico.becomeAdministrator();
    const id = await ada.launch();
    await ada.settle(id, 'ready');
    await portico.stop();
    assert.equal(shims(portico).length, 1, 'a session outlives an orderly end');
    await portico.start({ PORTICO_FAILPOINT: point });
    await ada.settle(id, 'ready');
    await ada.post(`/workloads/${id}/stop`).catch(() => undefined);
    await died(portico);

    await portico.start();
    await stopsCleanly(portico, ada, id);
  }));
}
