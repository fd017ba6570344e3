// Owns a headless Chromium that does what a test says, one line of JSON at a time, and keeps what a page must never
// do: errors, breaches of its policy, dialogs, requests to elsewhere. Must not: know what is tested.
//
// In:  {"do": NAME, "page": NUMBER, ...}   Out: {"ok": VALUE} or {"error": TEXT}. It ends with its input.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const web = createRequire(new URL('../../../web/package.json', import.meta.url));
const { chromium } = web('playwright-core');

const [executablePath, patience] = process.argv.slice(2);
const QUIET = ['background-networking', 'component-update', 'sync', 'quic', 'gpu', 'dev-shm-usage'];
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--no-first-run', ...QUIET.map((what) => `--disable-${what}`)],
});

/** Each context is a browser of its own: cookies, history, cache. */
const contexts = new Map();
const pages = [];

async function contextOf(name, options) {
  if (!contexts.has(name)) {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(Number(patience));
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    // The policy's breaches are told as errors on the console too; this says which part was breached.
    await context.addInitScript(() =>
      addEventListener('securitypolicyviolation', (event) =>
        console.error(`policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`),
      ),
    );
    contexts.set(name, context);
  }
  return contexts.get(name);
}

async function open({ context, options }) {
  const page = await (await contextOf(context, options)).newPage();
  const kept = { page, complaints: [], requests: [] };
  page.on('console', (said) => {
    if (said.type() === 'error' || said.type() === 'warning') kept.complaints.push(`${said.type()}: ${said.text()} (${said.location().url})`);
  });
  page.on('pageerror', (error) => kept.complaints.push(`thrown: ${error.stack ?? error}`));
  page.on('dialog', (dialog) => {
    kept.complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => kept.requests.push({ url: request.url(), referer: request.headers().referer ?? null }));
  page.on('websocket', (socket) => kept.requests.push({ url: socket.url(), referer: null }));
  pages.push(kept);
  return pages.length - 1;
}

/** A place on the page: a selector of CSS, and optionally a text in it. */
const find = (page, { at, text }) => page.locator(at, text === undefined ? {} : { hasText: text }).first();

const DOES = {
  goto: async ({ page }, { url }) => (await page.goto(url))?.status() ?? null,
  wait: ({ page }, line) => find(page, line).waitFor({ state: line.state ?? 'visible' }),
  click: ({ page }, line) => find(page, line).click(),
  fill: ({ page }, line) => find(page, line).fill(line.value),
  choose: ({ page }, line) => find(page, line).selectOption(line.value),
  focus: ({ page }, line) => find(page, line).focus(),
  press: ({ page }, { keys }) => page.keyboard.press(keys),
  type: ({ page }, { keys }) => page.keyboard.type(keys),
  copy: ({ page }, { value }) => page.evaluate((text) => navigator.clipboard.writeText(text), value),
  text: ({ page }, line) => find(page, line).innerText(),
  attribute: ({ page }, line) => find(page, line).getAttribute(line.name),
  count: ({ page }, { at }) => page.locator(at).count(),
  evaluate: ({ page }, { script }) => page.evaluate(script),
  // Runs before anything of a page that is opened from now on.
  prepare: ({ page }, { script }) => page.addInitScript(script),
  url: ({ page }) => page.url(),
  cookies: ({ page }) => page.context().cookies(),
  history: async ({ page }) => {
    const inspector = await page.context().newCDPSession(page);
    return (await inspector.send('Page.getNavigationHistory')).entries.map(({ url }) => url);
  },
  // A page of somebody else's, at an address where nobody listens.
  serve: ({ page }, { url, html }) => page.route(url, (route) => route.fulfill({ contentType: 'text/html', body: html })),
  shoot: ({ page }, { path, full }) => page.screenshot({ path, fullPage: full ?? false }),
  reload: async ({ page }) => void (await page.reload()),
  scheme: ({ page }, { scheme }) => page.emulateMedia({ colorScheme: scheme }),
  findings: ({ page }) => findings(page),
  resize: ({ page }, { width, height }) => page.setViewportSize({ width, height }),
  complaints: ({ complaints }) => complaints,
  requests: ({ requests }) => requests,
};

/** What an inspection for accessibility finds that is serious, by WCAG 2.1 A and AA. */
async function findings(page) {
  await page.evaluate(readFileSync(web.resolve('axe-core/axe.min.js'), 'utf8'));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => `${node.html.slice(0, 200)} (${node.any[0]?.message ?? ''})`).join('; ')}`);
}

async function answer(line) {
  if (line.do === 'open') return open(line);
  const kept = pages[line.page];
  try {
    return await DOES[line.do](kept, line);
  } catch (error) {
    const seen = await kept.page.locator('body').innerText({ timeout: 2000 }).catch(() => '(no text)');
    throw new Error(`${error.message}\n--- ${kept.page.url()} shows\n${seen.slice(0, 4000)}\n--- complaints\n${kept.complaints.join('\n')}`);
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const said = await answer(JSON.parse(line)).then(
    (ok) => ({ ok: ok ?? null }),
    (error) => ({ error: String(error.message ?? error) }),
  );
  process.stdout.write(`${JSON.stringify(said)}\n`);
}
await browser.close();
