// Serves the gallery and the terminal page with the portal's policy, with made-up streams behind the islands
// and a real shell on a pseudo-terminal behind the terminal. For looking and for tests, never for people.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname, join, normalize } from 'node:path';

const HERE = new URL('..', import.meta.url).pathname;
const PORTAL =
  "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";
const TERMINAL =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; object-src 'none'";
const TYPES = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml' };

function stream(response, events) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  for (const [event, data] of events) response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}

function usage() {
  const now = Date.now();
  return Array.from({ length: 60 }, (_, step) => [
    'usage',
    {
      at: new Date(now - (59 - step) * 10_000).toISOString(),
      cpu_millis: Math.round(500 + 450 * Math.sin(step / 5) + 250 * Math.sin(step / 1.7)),
      memory_bytes: Math.round(1.1e9 + step * 2.4e7 + 1e8 * Math.sin(step / 4)),
      memory_limit_bytes: 4 * 1024 ** 3,
    },
  ]);
}

/** How many lines the log has; a test asks for more. */
function log(response, count) {
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' });
  const words = ['GET /api/kernels 200', 'kernel started', 'saving notebook', '\u001b[33mslow disk\u001b[0m', 'checkpoint written'];
  let text = '';
  for (let line = 1; line <= count; line += 1) text += `[I 2026-11-20 22:03:11 ServerApp] ${words[line % words.length]}, line ${line}\n`;
  response.end(text);
}

async function file(response, path) {
  const name = normalize(path).replace(/^\/+/, '');
  const place = name.startsWith('assets/') ? join(HERE, 'dist', name.slice(7)) : join(HERE, name);
  try {
    const body = await readFile(place);
    const policy = name.endsWith('terminal.html') ? TERMINAL : PORTAL;
    response.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream', 'content-security-policy': policy });
    response.end(body);
  } catch {
    response.writeHead(404).end();
  }
}

function answer(request, response) {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost');
  if (pathname.endsWith('/w1/events/stream')) {
    return stream(response, [
      ['state', { phase: 'starting' }],
      ['step', { step: 'pulling', image: 'jupyter:4', percent: 42 }],
      ['log', { line: 'Pulling layer 3 of 7' }],
    ]);
  }
  if (pathname.endsWith('/w2/events/stream')) {
    return stream(response, [
      ['state', { phase: 'starting' }],
      ['step', { step: 'starting' }],
      ['log', { line: 'exec: start-desktop: not found' }],
      ['state', { phase: 'failed', reason: 'The app ended with exit code 127.', advice: 'The image has no program called start-desktop: check the command of the app.' }],
      ['end', {}],
    ]);
  }
  if (pathname.endsWith('/usage/stream')) return stream(response, usage());
  if (pathname.endsWith('/logs')) return log(response, Number(process.env.LINES ?? searchParams.get('lines') ?? 2000));
  if (pathname.endsWith('/health')) return response.writeHead(200).end('ok');
  return file(response, pathname === '/' ? '/gallery.html' : pathname);
}

/** A frame of the server: never masked, one of three lengths. */
function frame(kind, body) {
  const head = body.length < 126 ? Buffer.from([kind, body.length]) : body.length < 65536 ? Buffer.from([kind, 126, body.length >> 8, body.length & 255]) : Buffer.alloc(10);
  if (body.length >= 65536) {
    head[0] = kind;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}

function shell(request, socket) {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  const tell = (message) => socket.write(frame(0x81, Buffer.from(JSON.stringify(message))));
  tell({ type: 'hello', cols: 80, rows: 24, title: 'Terminal' });
  const child = spawn('script', ['-qefc', 'bash --norc', '/dev/null'], { env: { ...process.env, PS1: '\\[\\e[32m\\]ada\\[\\e[0m\\]:\\[\\e[34m\\]\\w\\[\\e[0m\\]$ ', TERM: 'xterm-256color' } });
  child.stdout.on('data', (bytes) => socket.write(frame(0x82, bytes)));
  child.on('exit', (code) => {
    tell({ type: 'exit', code });
    socket.end(frame(0x88, Buffer.from([3, 232])));
  });
  let rest = Buffer.alloc(0);
  socket.on('data', (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    while (rest.length >= 6) {
      const long = (rest[1] & 127) === 126;
      const size = long ? rest.readUInt16BE(2) : rest[1] & 127;
      const start = (long ? 4 : 2) + 4;
      if (rest.length < start + size) return;
      const mask = rest.subarray(start - 4, start);
      const body = Buffer.from(rest.subarray(start, start + size).map((byte, index) => byte ^ mask[index % 4]));
      if ((rest[0] & 15) === 2) child.stdin.write(body);
      if ((rest[0] & 15) === 8) socket.end();
      rest = rest.subarray(start + size);
    }
  });
  socket.on('error', () => child.kill());
  socket.on('close', () => child.kill());
}

/** Starts on a free port. `drop()` cuts every open socket, as a network does. */
export async function serve() {
  const sockets = new Set();
  const server = createServer(answer);
  server.on('upgrade', (request, socket) => shell(request, socket));
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const drop = () => sockets.forEach((socket) => socket.destroy());
  return {
    address: `http://localhost:${server.address().port}`,
    drop,
    close: () => new Promise((closed) => { server.close(closed); drop(); }),
  };
}
