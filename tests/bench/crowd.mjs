// Watches the dashboard in a headless Chromium while others make it change: `node crowd.mjs LOGIN-LINK SECONDS`.
// Prints one JSON object of figures. Must not: know what is on the page.
import { launch } from '../../web/browser.mjs';

const [url, seconds] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(url);
await page.waitForSelector('[data-testid=live][data-phase=open]');
await page.evaluate(() => (location.hash = '#/fleet'));
await page.waitForTimeout(5000);

const cdp = await page.context().newCDPSession(page);
await cdp.send('Performance.enable');
const metrics = async () => {
  const { metrics: all } = await cdp.send('Performance.getMetrics');
  return Object.fromEntries(all.map(({ name, value }) => [name, value]));
};
const heap = async () => {
  await cdp.send('HeapProfiler.collectGarbage');
  return (await metrics()).JSHeapUsedSize / 2 ** 20;
};
await page.evaluate(() => {
  const seen = (globalThis.seen = { frames: 0, longest: 0, over50: 0, over200: 0, last: performance.now() });
  const frame = (now) => {
    const took = now - seen.last;
    seen.last = now;
    seen.frames += 1;
    seen.longest = Math.max(seen.longest, took);
      if (took > 200) seen.over200 += 1;
    if (took > 50) seen.over50 += 1;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame((now) => ((seen.last = now), requestAnimationFrame(frame)));
});
const heapBefore = await heap();
await page.evaluate(() => Object.assign(globalThis.seen, { frames: 0, longest: 0, over50: 0, over200: 0 }));
const before = await metrics();
await page.waitForTimeout(Number(seconds) * 1000);
const after = await metrics();
const seen = await page.evaluate(() => globalThis.seen);
const heapAfter = await heap();
const wall = after.Timestamp - before.Timestamp;
const round = (value) => Math.round(value * 10) / 10;
console.log(
  JSON.stringify({
    'page: main thread busy, per cent': round(((after.TaskDuration - before.TaskDuration) / wall) * 100),
    'page: of it scripts, per cent': round(((after.ScriptDuration - before.ScriptDuration) / wall) * 100),
    'page: frames a second': round(seen.frames / wall),
    'page: longest frame, ms': round(seen.longest),
    'page: frames over 50 ms': seen.over50,
    'page: frames over 200 ms': seen.over200,
    'page: heap before, MiB': round(heapBefore),
    'page: heap after, MiB': round(heapAfter),
    'page: elements': after.Nodes,
  }),
);
await browser.close();
