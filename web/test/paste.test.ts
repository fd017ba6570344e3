// What may be pasted into an agent.
import { expect, test } from 'vitest';
import { cleanPaste } from '../src/paste.ts';

test('a34: a paste cannot be ended from within', () => {
  expect(cleanPaste('a\u001b[201~\rtouch x\r\n')).toBe('a[201~\ntouch x\n');
  expect(cleanPaste('a\u009b201~b\u202ec\u0000d\u0003')).toBe('a201~bcd');
});

test('tabs, lines and all scripts stay', () => {
  expect(cleanPaste('a\tb\r\nc\rd 你好 👩‍💻')).toBe('a\tb\nc\nd 你好 👩‍💻');
});

test('a34: cleaning leaves no control, and cleaning twice changes nothing', () => {
  const every = Array.from({ length: 0x3000 }, (_, code) => String.fromCodePoint(code)).join('');
  const once = cleanPaste(every);
  // eslint-disable-next-line no-control-regex
  expect(once).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
  expect(cleanPaste(once)).toBe(once);
});
