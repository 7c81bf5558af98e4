// Hostile input against the running binary: addresses, headers, forms, titles.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';

import { form, PASSWORD, Portico } from './portico.mjs';

const HOSTILE = '"><script>alert(1)</script>\' onload=x {{7*7}}';

let portico;
let ada;
before(async () => {
  portico = await Portico.start();
  ada = await portico.becomeAdministrator();
});
after(() => portico?.release());

/** Bytes as they are; returns what came back until the connection closed or fell silent. */
function raw(bytes) {
  return new Promise((answered, failed) => {
    let text = '';
    const socket = connect(portico.port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(3_000, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (part) => { text += part; });
    socket.on('error', (error) => (error.code === 'ECONNRESET' ? undefined : failed(error)));
    socket.on('close', () => answered(text));
  });
}

test('signing in leads nowhere but to this Portico', async () => {
  const elsewhere = [
    '//evil.example', '///evil.example', `http://localhost:${portico.port}//evil.example`, 'http://evil.example/',
    '\\\\evil.example', '/\\evil.example', '%2f%2fevil.example', '/%2fevil.example', '/%252fevil.example',
    'javascript:alert(1)', '/\tevil', '/\n/evil.example', '\t//evil.example', 'http://localhost@evil.example/', '/..//evil.example',
    'https:evil.example', '/.//evil.example', `//localhost:${portico.port + 1}/`, '',
  ];
  for (const next of elsewhere) {
    const asked = await ada.get(`/sign-in?next=${encodeURIComponent(next)}`);
    assert.deepEqual([asked.status, asked.headers.location], [303, '/'], `next=${JSON.stringify(next)}`);
  }
  for (const next of elsewhere.slice(0, 4)) {
    const { headers, body } = form({ name: 'Ada', password: PASSWORD, next });
    const answer = await portico.ask('POST', '/sign-in', { headers: { origin: portico.origin, ...headers }, body });
    assert.deepEqual([answer.status, answer.headers.location], [303, '/'], `next=${JSON.stringify(next)}`);
  }
});

test('a form counts only with its secret and from this origin', async () => {
  const { text } = await ada.get('/account');
  const csrf = text.match(/name="csrf" value="([^"]+)"/)[1];
  const tries = [
    [{}, { origin: portico.origin }],
    [{ csrf: 'x'.repeat(csrf.length) }, { origin: portico.origin }],
    [{ csrf }, { origin: 'http://evil.example' }],
    [{ csrf }, { origin: 'null' }],
    [{ csrf }, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
    [{}, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'navigate' }],
  ];
  for (const [fields, headers] of tries) {
    const sent = form({ title: 'x', ...fields });
    const all = { cookie: ada.cookie, ...sent.headers, ...headers };
    for (const path of ['/apps/terminal/launch', '/sign-out', '/admin/users']) {
      const answer = await portico.ask('POST', path, { headers: all, body: sent.body });
      assert.equal(answer.status, 403, `${path} ${JSON.stringify([Object.keys(fields), headers])}`);
    }
  }
  assert.deepEqual(await ada.workloads(), []);
});

test('GET and HEAD change nothing', async () => {
  const id = await ada.launch();
  await ada.settle(id, 'ready');
  for (const path of [`/workloads/${id}/stop`, `/workloads/${id}/restart`, `/workloads/${id}/delete`, `/workloads/${id}/rename`, '/apps/terminal/launch', '/sign-out']) {
    await ada.get(path);
    await portico.ask('HEAD', path, { headers: { cookie: ada.cookie } });
  }
  const rows = await ada.workloads();
  assert.deepEqual(rows.map((row) => [row.id, row.phase, row.generation]), [[id, 'ready', 0]]);
  await ada.post(`/workloads/${id}/stop`);
  await ada.settle(id, 'stopped');
});

test('titles and names are text wherever they are shown', async () => {
  // What turns the direction of text, or hides in it, is refused.
  await assert.rejects(ada.launch('terminal', { title: 'a\u202Eb' }), /422[^]*invisible/);
  const id = await ada.launch('terminal', { title: HOSTILE });
  await ada.post('/admin/users', { name: '<img src=x onerror=alert(1)>', role: 'member' }, '/admin/users');
  for (const page of ['/', '/workloads', `/workloads/${id}`, `/workloads/${id}/delete`, '/admin/workloads', '/admin/users', '/admin/audit', `/workloads?q=${encodeURIComponent(HOSTILE)}`]) {
    const { status, text, headers } = await ada.get(page);
    assert.equal(status, 200, page);
    assert.doesNotMatch(text, /<script>alert|<img src=x|"><script/, page);
    assert.match(headers['content-security-policy'], /default-src|script-src/, page);
  }
  await ada.post(`/workloads/${id}/stop`);
  await ada.settle(id, 'stopped');
});

test('a workload’s address is closed to whoever has no pass, before anything is dialled', async () => {
  const id = await ada.launch('terminal');
  const { label } = await ada.settle(id, 'ready');
  const host = `${label}.localhost:${portico.port}`;
  const upgrade = { connection: 'upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
  const spoofed = { 'x-portico-user': 'ada', 'x-forwarded-user': 'ada', 'x-forwarded-for': '127.0.0.1', 'x-forwarded-host': `localhost:${portico.port}` };
  for (const headers of [{}, spoofed, { cookie: ada.cookie }, { authorization: 'Bearer x' }]) {
    const page = await portico.get('/', { host, headers });
    assert.ok([302, 303, 307, 401, 403].includes(page.status), `${page.status} with ${Object.keys(headers)}`);
    const socket = await portico.get('/ws', { host, headers: { ...headers, ...upgrade } });
    assert.ok([401, 403].includes(socket.status), `${socket.status} with ${Object.keys(headers)}`);
  }
  await ada.post(`/workloads/${id}/stop`);
  await ada.settle(id, 'stopped');
});

test('strange hosts, paths and lengths are refused, and the process lives on', async () => {
  const own = `localhost:${portico.port}`;
  for (const host of ['evil.example', `unknown.localhost:${portico.port}`, `${own}@evil.example`, 'localhost:1 evil', `a b.localhost:${portico.port}`]) {
    const answer = await raw(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 4\d\d /, host);
  }
  for (const path of ['/assets/../portico.toml', '/assets/%2e%2e/%2e%2e/etc/passwd', '/assets/..%2f..%2fetc%2fpasswd', '/assets//etc/passwd', '/assets/%00']) {
    const answer = await raw(`GET ${path} HTTP/1.1\r\nHost: ${own}\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (30[1278]|4\d\d) /, path);
    assert.doesNotMatch(answer, /root:/, path);
  }
  const odd = [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.0\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n',
    `GET / HTTP/1.1\r\nHost: ${own}\r\nHost: evil.example\r\n\r\n`,
    `POST /sign-in HTTP/1.1\r\nHost: ${own}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `POST /sign-in HTTP/1.1\r\nHost: ${own}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx`,
    `GET / HTTP/1.1\r\nHost: ${own}\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`,
    `GET /${'a'.repeat(1 << 18)} HTTP/1.1\r\nHost: ${own}\r\n\r\n`,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ];
  for (const bytes of odd) assert.doesNotMatch(await raw(bytes), /^HTTP\/1\.[01] [25]\d\d /, JSON.stringify(bytes.slice(0, 80)));
  const big = form({ name: 'x'.repeat(2 << 20), password: 'x' });
  const answer = await portico.ask('POST', '/sign-in', { headers: { origin: portico.origin, ...big.headers }, body: big.body });
  assert.equal(answer.status, 413);
  assert.equal((await portico.get('/api/v1/health')).status, 200);
});

test('a name cannot forge lines of the log', async () => {
  const { headers, body } = form({ name: `x\n2026-01-01T00:00:00Z  INFO forged ${'y'.repeat(5000)}`, password: 'z' });
  await portico.ask('POST', '/sign-in', { headers: { origin: portico.origin, ...headers }, body });
  const lines = portico.log.split('\n');
  assert.ok(!lines.some((line) => line.startsWith('2026-01-01T00:00:00Z')));
  assert.ok(lines.every((line) => line.length < 2000));
});
