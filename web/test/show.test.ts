// What the page shows of hostile text.
import { expect, test } from 'vitest';
import { show, showFirst, showLines } from '../src/show.ts';

test('a56: control and direction characters are shown, not obeyed', () => {
  expect(show('a\rb\u001b[31m\n\u202ex')).toBe('a\\x0db\\x1b[31m\\x0a\\u{202e}x');
  expect(show('\u009b31m\u007f\u0000')).toBe('\\x9b31m\\x7f\\x00');
  expect(show('zero\u200bwidth \u2066iso\u2069')).toBe('zero\\u{200b}width \\u{2066}iso\\u{2069}');
  expect(show('\ud800 alone')).toBe('\\u{d800} alone');
});

test('text of all scripts and joined emoji stays as it is', () => {
  const text = 'שלום, 你好, 👩‍💻, é';
  expect(show(text)).toBe(text);
});

test('a body of text keeps its lines and widens its tabs', () => {
  expect(showLines('a\n\tb\rc')).toBe('a\n    b\\x0dc');
  expect(showFirst('\n  \nfirst\nsecond')).toBe('first');
});

test('a56: no character that was let through can move a cursor', () => {
  for (let code = 0; code < 0x3000; code++) {
    const shown = showLines(String.fromCodePoint(code));
    // eslint-disable-next-line no-control-regex
    expect(/^[^\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$/.test(shown), code.toString(16)).toBe(true);
  }
});
