// A link in a program's output leads nowhere unasked.
import { readFileSync } from 'node:fs';
import { afterEach, expect, test, vi } from 'vitest';
import { LINKS } from '../src/links.ts';

afterEach(() => vi.unstubAllGlobals());

/** What was asked and what was opened after a click, by somebody who always says the same. */
function click(link: string, yes: boolean) {
  const asked: string[] = [];
  const opened: string[][] = [];
  vi.stubGlobal('confirm', (text: string) => (asked.push(text), yes));
  vi.stubGlobal('open', (...words: string[]) => opened.push(words));
  const range = { start: { x: 1, y: 1 }, end: { x: 1, y: 1 } };
  LINKS.activate({} as MouseEvent, link, range);
  return { asked, opened };
}

test('a54: only the Web is opened, in a tab that knows nothing of this one, once the whole address was seen', () => {
  const long = `https://example.test/${'x'.repeat(300)}?to=https://good.test`;
  const { asked, opened } = click(long, true);
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain(long);
  expect(opened).toEqual([[long, '_blank', 'noopener,noreferrer']]);
  expect(click('http://example.test/', false).opened).toEqual([]);
});

test('a54: what is no address of the Web is not even asked about', () => {
  for (const link of ['javascript:alert(1)', 'JAVASCRIPT:alert(1)', ' javascript:alert(1)', 'file:///etc/passwd', 'data:text/html,x', 'blob:https://example.test/1', 'vbscript:x', 'vscode://x', 'mailto:a@b.test', 'not an address', '']) {
    expect(click(link, true), link).toEqual({ asked: [], opened: [] });
  }
  expect(LINKS.allowNonHttpProtocols).toBe(false);
});

test('a54: an address that pretends to be another one is shown as what it is', () => {
  const { asked } = click('https://good.test\u202e@evil.test/', false);
  expect(asked[0]).toContain('evil.test');
  expect(asked[0]).not.toMatch(/[\u202a-\u202e\u2066-\u2069]/);
});

test('a54: the terminal has no addon for the clipboard or for images', () => {
  const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync('package.json', 'utf8'));
  const addons = Object.keys({ ...dependencies, ...devDependencies }).filter((name) => name.startsWith('@xterm/addon-'));
  for (const addon of addons) expect(addon).not.toMatch(/clipboard|image|web-links|attach/);
});
