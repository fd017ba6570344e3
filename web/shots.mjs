// Owns pictures of the dashboard to be looked at: each view, light and dark, wide and narrow, of a running server.
// Must not: change anything there; it logs in, looks, and goes.
//
//   node web/shots.mjs LINK [FOLDER]     LINK is what `assign login` prints; scripts/screenshots sets a place up
//
// With PAGE=web/dist the page is taken from there instead of from the server: to see a change before it is built in.
import { mkdirSync, readFileSync } from 'node:fs';
import { launch } from './browser.mjs';

const [link, folder = '.scratch/shots'] = process.argv.slice(2);
if (link === undefined) throw new Error('usage: node web/shots.mjs LINK [FOLDER]');
mkdirSync(folder, { recursive: true });

const browser = await launch('--disable-features=LocalNetworkAccessChecks');
const context = await browser.newContext();
const page = await context.newPage();
await page.goto(link);
if (process.env['PAGE'] !== undefined) await overlay(process.env['PAGE']);
const first = (test) => page.locator(`[data-testid=${test}]`).first();
await first('live').and(page.locator('[data-phase=open]')).waitFor();
const show = (hash) => page.evaluate((to) => (location.hash = to), hash);
await show('#/fleet');
await page.locator('[data-testid=session-tile]').nth(2).waitFor();
const session = await page.locator('[data-testid=session-tile]:is([data-state=waiting_permission], [data-name=api])').first().getAttribute('data-session');
const only = process.env['ONLY']?.split(',');

/** Name, address, and what is there once the view is complete. */
const VIEWS = [
  ['inbox', '#/', '[data-testid=inbox] [data-item]'],
  ['fleet', '#/fleet', '[data-testid=session-tile]'],
  ['fleet-grouped', '#/fleet?group=state', '[data-testid=session-tile]'],
  ['session', `#/session/${session}`, '[data-testid=terminal] .xterm-rows > div'],
  ['replay', `#/session/${session}/replay`, '[data-testid=replay][data-ready=true]'],
  ['queue', '#/queue', '[data-testid=prompt-row]'],
  ['prompt', '#/queue/1', '[data-testid=prompt-detail] .receipts'],
  ['waiting', '#/queue/7', '[data-testid=graph]'],
  ['send', '#/send', '[data-testid=send-text]'],
  ['search', '#/search?q=greet', '[data-testid=search]'],
  ['insight', '#/insight', '[data-testid=insight]'],
  ['admin', '#/admin', '[data-testid=admin]'],
  ['policies', '#/admin/policies', '[data-testid=policies]'],
  ['audit', '#/admin/audit', '[data-testid=audit]'],
].filter(([name]) => only === undefined || only.includes(name));
for (const colorScheme of ['light', 'dark']) {
  await page.emulateMedia({ colorScheme });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: width > 1000 ? 900 : 844 });
    for (const [name, hash, there] of VIEWS) {
      await show(hash);
      await page.locator(there).first().waitFor({ state: 'attached' });
      // A request that has just appeared cannot be answered yet.
      const approve = page.locator('[data-testid=approve]');
      if ((await approve.count()) > 0) await approve.and(page.locator(':enabled')).first().waitFor();
      // A frame after the last change of size, so that the terminal has found its font.
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
      await page.screenshot({ path: `${folder}/${name}-${colorScheme}-${width}.png`, fullPage: true });
      const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      if (over > 0) console.error(`${name} ${colorScheme} ${width}: the page is ${over} px too wide`);
    }
  }
}
await browser.close();
console.log(`${VIEWS.length * 4} pictures in ${folder}`);

/** Answers requests for the page's files from a folder, and loads the page anew. */
async function overlay(from) {
  const TYPES = { html: 'text/html', js: 'text/javascript', css: 'text/css', svg: 'image/svg+xml' };
  const { origin } = new URL(link);
  await context.route(
    (url) => url.origin === origin && /^\/(|assets\/.*|favicon-.*)$/.test(url.pathname),
    (route) => {
      const { pathname } = new URL(route.request().url());
      const name = pathname === '/' ? 'index.html' : pathname.slice(1);
      const type = TYPES[name.split('.').at(-1)] ?? 'application/octet-stream';
      return route.fulfill({ body: readFileSync(`${from}/${name}`), contentType: `${type}; charset=utf-8` });
    },
  );
  await page.goto(origin);
}
