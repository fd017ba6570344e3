// Owns pictures of the dashboard to be looked at: each view, light and dark, wide and narrow, of a running server.
// Must not: change anything there; it logs in, looks, and goes.
//
//   node web/shots.mjs LINK [FOLDER]     LINK is what `assign login` prints; scripts/screenshots sets a place up
import { mkdirSync } from 'node:fs';
import { chromium } from 'playwright-core';

const [link, folder = '.scratch/shots'] = process.argv.slice(2);
if (link === undefined) throw new Error('usage: node web/shots.mjs LINK [FOLDER]');
mkdirSync(folder, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--no-first-run', '--disable-gpu', '--disable-dev-shm-usage'],
});
const context = await browser.newContext();
const page = await context.newPage();
await page.goto(link);
await page.locator('[data-testid=session-tile]').nth(2).waitFor();
const first = (test) => page.locator(`[data-testid=${test}]`).first();
const session = await first('need-session').or(first('session-tile')).first().getAttribute('data-session');

/** Name, address, and what is there once the view is complete. */
const VIEWS = [
  ['sessions', '#/', '[data-testid=session-tile]'],
  ['session', `#/session/${session}`, '[data-testid=terminal] .xterm-rows > div'],
  ['queue', '#/queue', '[data-testid=prompt-row]'],
  ['prompt', '#/queue/1', '[data-testid=prompt-detail] .receipts'],
  ['send', '#/send', '[data-testid=send-text]'],
];
for (const colorScheme of ['light', 'dark']) {
  await page.emulateMedia({ colorScheme });
  for (const width of [1440, 390]) {
    await page.setViewportSize({ width, height: width > 1000 ? 900 : 844 });
    for (const [name, hash, there] of VIEWS) {
      await page.evaluate((to) => (location.hash = to), hash);
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
