// Looks at two sessions in a headless Chromium: how old the time is that one prints when it is on the page, and how the
// page fares while another floods: `node pixels.mjs LOGIN-LINK CLOCK FLOOD SECONDS`. Must not: start anything but the flood.
import { launch } from '../../web/browser.mjs';

const [link, clock, flood, seconds] = process.argv.slice(2);
const browser = await launch();
const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
await page.goto(link);
await page.waitForSelector('[data-testid=live][data-phase=open]');
const sessions = await page.evaluate(() => fetch('/v1/sessions').then((answer) => answer.json()));
const visit = async (name) => {
  const { id } = sessions.find((session) => session.name === name);
  await page.evaluate((hash) => (location.hash = hash), `#/session/${id}`);
  await page.waitForSelector(`[data-testid=session-view][data-session='${id}']`);
  await page.waitForSelector('[data-testid=terminal] .xterm-rows');
  await page.waitForTimeout(2000);
};

await visit(clock);
const ages = await page.evaluate(
  (ms) =>
    new Promise((done) => {
      const seen = new Set();
      const all = [];
      const end = Date.now() + ms;
      const look = () => {
        const shown = [...document.querySelector('.xterm-rows').textContent.matchAll(/T(\d{13})/g)].at(-1)?.[1];
        if (shown !== undefined && !seen.has(shown)) {
          // What stood there at first says nothing of how it came.
          if (seen.size > 0) all.push(Date.now() - Number(shown));
          seen.add(shown);
        }
        if (Date.now() < end) requestAnimationFrame(look);
        else done(all);
      };
      look();
    }),
  Number(seconds) * 1000,
);
ages.sort((a, b) => a - b);
const part = (of) => ages[Math.floor((ages.length - 1) * of)];

await visit(flood);
await page.locator('[data-testid=take-keyboard]').click();
await page.locator('[data-testid=release-keyboard]').waitFor();
await page.keyboard.type('go\n');
const [longest, frames, took] = await page.evaluate(
  () =>
    new Promise((done) => {
      const begun = performance.now();
      let [last, longest, frames] = [begun, 0, 0];
      const look = (now) => {
        longest = Math.max(longest, now - last);
        last = now;
        frames += 1;
        if (document.querySelector('.xterm-rows').textContent.includes('THE-END')) done([longest, frames, now - begun]);
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }),
);
console.log(
  JSON.stringify({
    'byte to pixels, ms, median': part(0.5),
    'byte to pixels, ms, p90': part(0.9),
    'byte to pixels, ms, most': part(1),
    'byte to pixels, samples': ages.length,
    'flood: ms until the right end is on the page': Math.round(took),
    'flood: frames a second': Math.round((frames / took) * 1000),
    'flood: longest frame, ms': Math.round(longest),
  }),
);
await browser.close();
