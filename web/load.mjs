// Owns the measurement of the page under a fleet: a server of its own that says that many sessions change many times a
// second, and a browser that looks at them. Must not: need Muster's server, or be part of the page.
//
//   node web/load.mjs [SESSIONS] [CHANGES PER SECOND OF EACH] [SECONDS] [HASH]      after `npm run build`
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { launch } from './browser.mjs';

const [sessions = 1000, rate = 10, seconds = 60] = process.argv.slice(2, 5).map(Number);
const hash = process.argv[5] ?? '#/fleet';
const DIST = new URL('./dist/', import.meta.url);
const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
const STATES = ['busy', 'busy', 'busy', 'idle'];

function session(index, step) {
  const now = Date.now();
  return {
    id: `0192c0de-0000-7000-8000-${String(index).padStart(12, '0')}`,
    name: `agent-${index}`,
    host: `host-${index % 20}`,
    host_name: `host-${index % 20}`,
    agent: index % 3 === 0 ? 'codex' : 'claude',
    argv: ['claude', '--dangerously', 'x'],
    role: null,
    caps: [],
    moves: 'none',
    interpreter: false,
    paused: false,
    kept: false,
    limited: null,
    claim: { state: STATES[(index + (step >> 4)) % 4], source: 'hook', rule: 'claude.hook.tool', evidence: `tool ${step}`, since: now - 1000, background: false },
    link: 'connected',
    link_since: now - 60_000,
    context: { dir: `/home/ada/src/project-${index % 50}`, branch: `task-${index}`, repo: `/home/ada/src/project-${index % 50}`, env: {}, hash: 'abcdef012345' },
    title: `Working on step ${step}`,
    dialog: null,
    prompt: null,
    size: { cols: 120, rows: 40 },
    attached: false,
    keyboard: null,
    last_line: `step ${step}: running the tests of module ${(index * 7 + step) % 97}, this may take a while`,
    metrics: { tokens_in: 1000 + step * 10, tokens_out: 100 + step, cost_usd: step / 1000, context_left_percent: 100 - (step % 100) },
    started: now - 600_000,
    active: now,
    exit: null,
  };
}

const sockets = new Set();
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://x');
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  try {
    const body = readFileSync(new URL(name, DIST));
    response.writeHead(200, { 'content-type': TYPES[name.split('.').at(-1)] ?? 'application/octet-stream' }).end(body);
  } catch {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"code":"not_found","message":"none","hint":"","retry":false}');
  }
});
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => sockets.delete(socket));
  const all = Array.from({ length: sessions }, (_, index) => session(index, 0));
  socket.write(frame({ type: 'hello', protocol: 1, version: '0', build: 'b', now: Date.now(), viewer: 'v' }));
  socket.write(frame({ type: 'everything', sessions: all, prompts: [], approvals: [], paused: false }));
});

/** A text frame without a mask, as servers send them. */
function frame(message) {
  const body = Buffer.from(JSON.stringify(message));
  const head = body.length < 126 ? Buffer.from([0x81, body.length]) : body.length < 65_536 ? Buffer.from([0x81, 126, body.length >> 8, body.length & 255]) : Buffer.alloc(10);
  if (head.length === 10) {
    head[0] = 0x81;
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(body.length), 2);
  }
  return Buffer.concat([head, body]);
}

await new Promise((done) => server.listen(0, '127.0.0.1', done));
const origin = `http://127.0.0.1:${server.address().port}`;
const browser = await launch('--js-flags=--expose-gc');
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(`${origin}/${hash}`);
await page.locator('[data-testid=session-tile], [data-testid=inbox]').first().waitFor();
const inspector = await page.context().newCDPSession(page);
await inspector.send('Performance.enable');
const metrics = async () => Object.fromEntries((await inspector.send('Performance.getMetrics')).metrics.map(({ name, value }) => [name, value]));
const heap = async () => {
  await inspector.send('HeapProfiler.collectGarbage');
  return (await metrics()).JSHeapUsedSize / 1e6;
};

// On a machine that others use as well, the time that tasks took says little: the thread's own processor time says more.
const processes = await (await browser.newBrowserCDPSession()).send('SystemInfo.getProcessInfo');
const threads = processes.processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => `/proc/${id}/task/${id}/stat`);
const ticks = (path) => {
  const fields = readFileSync(path, 'utf8').split(') ')[1].split(' ');
  return Number(fields[11]) + Number(fields[12]);
};
const processor = () => threads.reduce((sum, path) => sum + ticks(path), 0) / 100;

let step = 0;
let sent = 0;
/** In 50 equal parts of a second; a part that comes late is made up for. */
const began = Date.now();
const timer = setInterval(() => {
  const due = ((Date.now() - began) / 1000) * sessions * rate;
  const parts = [];
  for (; sent < due; sent++) {
    if (sent % sessions === 0) step += 1;
    parts.push(frame({ type: 'session', session: session(sent % sessions, step) }));
  }
  const all = Buffer.concat(parts);
  for (const socket of sockets) socket.write(all);
}, 20);

await page.waitForTimeout(4000);
await page.evaluate(() => {
  const kept = { longest: 0, frames: 0, over: 0, last: performance.now() };
  globalThis.kept = kept;
  const look = (at) => {
    const gap = at - kept.last;
    kept.last = at;
    kept.frames += 1;
    kept.longest = Math.max(kept.longest, gap);
    if (gap > 200) kept.over += 1;
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});
const [before, heapBefore, sentBefore, usedBefore] = [await metrics(), await heap(), sent, processor()];
await page.evaluate(() => Object.assign(globalThis.kept, { longest: 0, frames: 0, over: 0, last: performance.now() }));
const start = Date.now();
await page.waitForTimeout((seconds * 1000) / 2);
const kept1 = await page.evaluate(() => ({ ...globalThis.kept }));
const heapMiddle = await heap();
await page.evaluate(() => Object.assign(globalThis.kept, { last: performance.now() }));
await page.waitForTimeout((seconds * 1000) / 2);
const kept = await page.evaluate(() => ({ ...globalThis.kept }));
const took = (Date.now() - start) / 1000;
const [after, used] = [await metrics(), processor() - usedBefore];
const heapAfter = await heap();
clearInterval(timer);
const share = (name) => `${((100 * (after[name] - before[name])) / took).toFixed(1)} %`;
console.log(
  JSON.stringify(
    {
      sessions,
      changes_per_second: Math.round((sent - sentBefore) / took),
      seconds: Math.round(took),
      main_thread_processor: `${((100 * used) / took).toFixed(1)} %`,
      main_thread_busy: share('TaskDuration'),
      script: share('ScriptDuration'),
      layout: share('LayoutDuration'),
      style: share('RecalcStyleDuration'),
      frames_per_second: Math.round(kept.frames / took),
      longest_frame_ms: Math.round(Math.max(kept.longest, kept1.longest)),
      frames_over_200_ms: kept.over,
      heap_mb: [heapBefore, heapMiddle, heapAfter].map((each) => Number(each.toFixed(1))),
    },
    null,
    2,
  ),
);
await browser.close();
for (const socket of sockets) socket.destroy();
server.close();
