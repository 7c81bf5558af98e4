// A real Portico in a directory of its own, and what it is asked by hand: requests, forms, tokens.
// Browsers are in browser.mjs.

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const target = resolve(import.meta.dirname, '../../target');

export const BINARY = process.env.PORTICO_E2E_BINARY ?? join(target, 'debug/portico');
/** The same with named moments at which it dies. */
export const MORTAL = process.env.PORTICO_E2E_MORTAL ?? join(target, 'e2e/portico-failpoints');
export const PASSWORD = 'four unrelated plain words';

/** Asks until the answer is true-ish, and returns it; says what was waited for when it never is. */
export async function until(what, ask, seconds = 40) {
  const deadline = Date.now() + seconds * 1000;
  for (let last; ;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`waited ${seconds} s in vain: ${what}`, { cause: last });
    await new Promise((later) => { setTimeout(later, 60); });
  }
}

export async function freePort() {
  const server = createServer();
  await new Promise((ready) => { server.listen(0, '127.0.0.1', ready); });
  const { port } = server.address();
  await new Promise((closed) => { server.close(closed); });
  return port;
}

/** Runs the binary to its end. */
export async function command(args, { environment = {}, home, seconds = 60 } = {}) {
  const env = surroundings(home ?? '/nonexistent', environment);
  return run(BINARY, args, { env, timeout: seconds * 1000, maxBuffer: 1 << 26 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

/** Nothing of the person who runs the tests: neither configuration nor sign-ins. */
function surroundings(home, more) {
  const { PATH, LANG, SSL_CERT_FILE } = process.env;
  const kept = Object.fromEntries(Object.entries({ PATH, LANG, SSL_CERT_FILE }).filter(([, value]) => value));
  return { ...kept, HOME: home, XDG_DATA_HOME: join(home, 'share'), XDG_CONFIG_HOME: join(home, 'config'), ...more };
}

export class Portico {
  #child;
  output = '';
  log = '';

  /** One that is not started yet; `release` takes away whatever it left. */
  static async prepare({ binary = BINARY, config } = {}) {
    const portico = new Portico();
    portico.home = mkdtempSync(join(tmpdir(), 'portico-e2e-'));
    portico.data = join(portico.home, 'data');
    portico.port = await freePort();
    portico.binary = binary;
    portico.config = config;
    return portico;
  }

  static async start(options) {
    const portico = await Portico.prepare(options);
    await portico.start().catch(async (error) => {
      await portico.release();
      throw error;
    });
    return portico;
  }

  get origin() { return `http://localhost:${this.port}`; }

  /** Starts the process, without waiting for it to be ready. */
  begin(environment = {}) {
    const args = this.config
      ? ['serve', '--config', this.config(this)]
      : ['demo', '--data', this.data, '--listen', `127.0.0.1:${this.port}`];
    const child = spawn(this.binary, args, { env: surroundings(this.home, environment), stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.output = '';
    child.stdout.on('data', (text) => { this.output += text; });
    child.stderr.on('data', (text) => { this.log += text; });
    this.ended = new Promise((ended) => { child.on('close', (code, signal) => ended({ code, signal })); });
  }

  async start(environment) {
    this.begin(environment);
    const gone = this.ended.then(({ code, signal }) => { throw new Error(`ended with ${code ?? signal}: ${this.log}`); });
    await Promise.race([until(`ready: ${this.log}`, async () => (await this.get('/api/v1/health')).status === 200), gone]);
    if (!this.config) await until('the greeting', () => this.output.includes('Stop with'));
  }

  /** `kill -9`. */
  async die() {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  async stop() {
    this.#child.kill('SIGTERM');
    return this.ended;
  }

  /** Ends everything that is of this Portico, and removes its files. */
  async release() {
    if (this.#child && this.#child.exitCode === null && this.#child.signalCode === null) await this.die();
    await until('the end of all processes', () => {
      const left = this.processes();
      for (const { pid } of left) {
        try { process.kill(pid, 'SIGKILL'); } catch { /* it was faster */ }
      }
      return left.length === 0;
    });
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The link for the first administrator, as it was printed. */
  get link() {
    const printed = `${this.output}\n${this.log}`.match(/http:\S+\/welcome\?token=\w+/g);
    if (!printed) throw new Error(`no link in ${this.output}${this.log}`);
    return printed.at(-1);
  }

  /** One request as a client on the network makes it, with whatever headers. */
  ask(method, path, { headers = {}, body, host = `localhost:${this.port}` } = {}) {
    return new Promise((answered, failed) => {
      const options = { host: '127.0.0.1', port: this.port, method, path, headers: { host, ...headers }, agent: false };
      const request = http.request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => { text += part; });
        response.on('error', failed).on('end', () => answered({ status: response.statusCode, headers: response.headers, text }));
      });
      request.setTimeout(30_000, () => request.destroy(new Error(`no answer to ${method} ${path}`)));
      request.on('error', failed).end(body);
    });
  }

  get(path, options) { return this.ask('GET', path, options); }

  /** Makes the first administrator by the printed link; what follows is asked with that login. */
  async becomeAdministrator(name = 'Ada') {
    const token = new URL(this.link).searchParams.get('token');
    return this.signInBy('/welcome', { token, name, password: PASSWORD });
  }

  async signIn(name, password = PASSWORD) { return this.signInBy('/sign-in', { name, password }); }

  async signInBy(path, fields) {
    const { headers, body } = form(fields);
    const answer = await this.ask('POST', path, { headers: { origin: this.origin, ...headers }, body });
    if (answer.status !== 303) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return new Login(this, answer.headers['set-cookie'][0].split(';')[0]);
  }

  /** Processes of this Portico's workloads and of itself: who has its data directory in words or surroundings. */
  processes() {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${pid}/environ`, 'utf8');
        const place = readlinkSync(`/proc/${pid}/cwd`);
        return [command, environment, place].some((text) => text.includes(this.home)) ? [{ pid: Number(pid), command }] : [];
      } catch {
        return [];
      }
    });
  }
}

/** Somebody signed in, without a browser. */
export class Login {
  constructor(portico, cookie) {
    this.portico = portico;
    this.cookie = cookie;
  }

  get(path, { headers, ...rest } = {}) {
    return this.portico.get(path, { headers: { cookie: this.cookie, ...headers }, ...rest });
  }

  /** Sends the form whose secrets stand on `page`. */
  async post(path, fields = {}, page = '/account') {
    const { text } = await this.get(page);
    const csrf = text.match(/name="csrf" value="([^"]+)"/)[1];
    const { headers, body } = form({ csrf, ...fields });
    return this.portico.ask('POST', path, { headers: { origin: this.portico.origin, cookie: this.cookie, ...headers }, body });
  }

  async launch(app = 'terminal', fields = {}) {
    const answer = await this.post(`/apps/${app}/launch`, { title: app, ...fields }, `/apps/${app}`);
    if (answer.status !== 303) throw new Error(`launch answered ${answer.status}: ${answer.text}`);
    return answer.headers.location.split('/').pop();
  }

  async workloads() {
    const { status, text } = await this.get('/api/v1/workloads');
    if (status !== 200) throw new Error(`${status} ${text}`);
    return JSON.parse(text).items;
  }

  async workload(id) { return JSON.parse((await this.get(`/api/v1/workloads/${id}`)).text); }

  async settle(id, phase, seconds) {
    let last;
    return until(`${id} to be ${phase}`, async () => {
      last = await this.workload(id);
      if (last.phase === 'failed' && phase !== 'failed') throw new Error(last.reason);
      return last.phase === phase && last;
    }, seconds);
  }
}

export function form(fields) {
  return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() };
}
