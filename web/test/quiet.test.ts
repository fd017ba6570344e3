// A viewer's terminal never answers. The parser is the real one, without a page.
import headless from '@xterm/headless';
import { expect, test } from 'vitest';
import { fromPerson, swallowQueries } from '../src/quiet.ts';

const ESC = '\u001b';
const QUERIES: readonly string[] = [
  '[c', '[0c', '[>c', '[>0c', '[=c', '[5n', '[6n', '[?6n', '[?15n', '[?996n', '[?2026$p', '[4$p', '[?u', '[>q', '[>0q',
  '[11t', '[13t', '[14t', '[16t', '[18t', '[19t', '[20t', '[21t', '[x', '[?4m', '[1;1;1;1;1;1*y', 'Z',
  ']10;?\u0007', `]11;?${ESC}\\`, ']12;?\u0007', ']4;1;?\u0007', ']4;1;#ff0000;2;?\u0007', ']10;?;?\u0007', ']21;foreground=?\u0007',
  ']52;c;?\u0007', ']7501;?\u0007', `P$qm${ESC}\\`, `P$qr${ESC}\\`, `P+q544e${ESC}\\`,
].map((query) => ESC + query);

async function replies(bytes: string | Uint8Array, deaf: boolean): Promise<string[]> {
  const term = new headless.Terminal({ allowProposedApi: true, cols: 80, rows: 24 });
  const out: string[] = [];
  if (deaf) swallowQueries(term.parser);
  term.onData((data) => out.push(data));
  term.onBinary((data) => out.push(data));
  await new Promise<void>((done) => term.write(bytes, done));
  term.dispose();
  return out;
}

test('a55: no query is answered, whole or byte by byte', async () => {
  expect(await replies(QUERIES.join(''), true)).toEqual([]);
  const term = new headless.Terminal({ allowProposedApi: true });
  const out: string[] = [];
  swallowQueries(term.parser);
  term.onData((data) => out.push(data));
  for (const char of QUERIES.join('')) term.write(char);
  await new Promise<void>((done) => term.write('', done));
  expect(out).toEqual([]);
});

test('without the handlers the same bytes are answered, so the test can fail', async () => {
  expect((await replies(QUERIES.join(''), false)).length).toBeGreaterThan(5);
});

test('what is no query still works', async () => {
  const term = new headless.Terminal({ allowProposedApi: true });
  swallowQueries(term.parser);
  await new Promise<void>((done) => term.write(`${ESC}[s${ESC}[5;5Hx${ESC}[uhello${ESC}[31m${ESC}[2 q`, done));
  expect(term.buffer.active.getLine(0)?.translateToString(true)).toBe('hello');
  expect(term.buffer.active.getLine(4)?.translateToString(true)).toBe('    x');
});

test('a55: what only a terminal says is not taken for a key', () => {
  const terminal = ['[?1;2c', '[>0;276;0c', '[0n', '[?12;40R', '[?2026;2$y', '[4;2$y', '[8;24;80t', '[I', '[O', ']11;rgb:00/00/00\u001b\\', 'P1$r0m\u001b\\', '[?0u'];
  for (const reply of terminal) expect(fromPerson(ESC + reply), reply).toBe(false);
});

test('keys, pastes and the mouse are let through', () => {
  const keys = ['a', '\r', '\u0003', ESC, `${ESC}[A`, `${ESC}OP`, `${ESC}[1;2R`, `${ESC}[3~`, `${ESC}[1;5C`, `${ESC}[Z`, `${ESC}P`, `${ESC}]`, `${ESC}[<0;10;20M`, `${ESC}[<0;10;20m`, `${ESC}[200~x${ESC}[201~`, '你'];
  for (const key of keys) expect(fromPerson(key), JSON.stringify(key)).toBe(true);
});
