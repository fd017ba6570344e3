// A recording: its parts, its clock, its axis, what is found in it, and how it is given away.
import { describe, expect, test } from 'vitest';
import { asciicast } from '../src/asciicast.ts';
import { bands, marks, MARKS, stamp } from '../src/bands.ts';
import { beginning, MOST } from '../src/load.ts';
import { find, plain } from '../src/seek.ts';
import { advance, append, duration, secondOf, upTo, type Piece, type Track } from '../src/track.ts';
import type { RecordingPart } from '../src/wire.gen.ts';
import { event, session } from './made.ts';

const SIZE = { cols: 80, rows: 24 };
const part = (from: number, next: number, events: RecordingPart['events']): RecordingPart => ({ from, next, end: 100, size: SIZE, events });
const pieces = (...said: [number, string][]): Piece[] => said.map(([t, text], at) => ({ t, code: 'o', text, at }));
const track = (...said: [number, string][]): Track => ({ size: SIZE, from: 0, next: 9, end: 9, pieces: pieces(...said) });

describe('parts', () => {
  test('follow each other, and each byte has its second', () => {
    const first = append(null, part(0, 5, [[1, 'o', 'añb'], [2, 'r', '100x30'], [2, 'o', 'c']]));
    const both = append(first, part(5, 9, [[7, 'o', 'wxyz']]));
    expect(both.pieces.map(({ at }) => at)).toEqual([0, 4, 4, 5]);
    expect([0, 3, 4, 5, 8, 500].map((offset) => secondOf(both, offset))).toEqual([1, 1, 2, 7, 7, 7]);
    expect(duration(both)).toBe(7);
    expect(first.pieces).toHaveLength(3);
  });

  test('a part that does not follow begins anew', () => {
    expect(append(append(null, part(0, 5, [])), part(50, 60, [[9, 'o', 'x']])).from).toBe(50);
  });

  test('time does not go back when the clock did', () => {
    expect(append(null, part(0, 9, [[5, 'o', 'a'], [3, 'o', 'b']])).pieces.map(({ t }) => t)).toEqual([5, 5]);
  });

  test('a byte far within is loaded from shortly before it', () => {
    expect(beginning(null)).toBe(0);
    expect(beginning(1000)).toBe(0);
    expect(beginning(MOST * 3)).toBeGreaterThan(MOST * 2);
  });
});

describe('the clock', () => {
  const played = track([0, 'a'], [1, 'b'], [60, 'c'], [61, 'd']);

  test('goes on to the end and stops there', () => {
    expect(advance(played, 0, 0.5, false)).toBe(0.5);
    expect(advance(played, 60.9, 5, false)).toBe(61);
  });

  test('skips stillness when it is asked to, and nothing else', () => {
    expect(advance(played, 2, 0.5, false)).toBe(2.5);
    expect(advance(played, 2, 0.5, true)).toBe(59.5);
    expect(advance(played, 1.2, 0.5, true)).toBe(1.7);
    expect(advance(played, 59.5, 0.5, true)).toBe(60);
  });

  test('knows what was put out by then', () => {
    expect([-1, 0, 0.5, 1, 60, 99].map((t) => upTo(played.pieces, t))).toEqual([0, 1, 1, 2, 3, 4]);
  });

  test('is written as people write it', () => {
    expect([0, 62.9, 3605].map(stamp)).toEqual(['0:00', '1:02', '1:00:05']);
  });
});

describe('the axis', () => {
  const claim = (since: number, state: 'busy' | 'idle') => ({ ...session('x').claim, since, state });

  test('has a band for each state, without gaps', () => {
    const spans = bands([claim(40_000, 'idle'), claim(25_000, 'busy'), claim(20_000, 'busy'), claim(11_000, 'idle')], 10_000, 60);
    expect(spans).toEqual([
      { from: 0, to: 10, state: 'idle' },
      { from: 10, to: 30, state: 'busy' },
      { from: 30, to: 60, state: 'idle' },
    ]);
    expect(bands([], 0, 60)).toEqual([]);
  });

  test('keeps the weightiest of many events, in order', () => {
    const rows = Array.from({ length: MARKS + 10 }, (_, seq) => ({ seq, event: { ...event(`${seq}`), at: seq * 1000, severity: seq % 2 === 0 ? ('error' as const) : ('info' as const) } }));
    const drawn = marks(rows, 0);
    expect(drawn).toHaveLength(MARKS);
    expect(drawn.filter(({ severity }) => severity === 'error')).toHaveLength((MARKS + 10) / 2);
    expect(drawn.map(({ t }) => t)).toEqual(drawn.map(({ t }) => t).toSorted((a, b) => a - b));
  });
});

describe('what is found', () => {
  test('is the text without what moves and colours it, also across pieces', () => {
    expect(plain('\x1b]0;title\x07\x1b[31mred\x1b[0m and\x1b[5;1Hthere')).toBe('red and\nthere');
    const said = pieces([1, 'one err'], [2, '\x1b[1mor: no disk\r\n'], [9, 'no ERROR here']);
    expect(find(said, 'error')).toEqual([{ t: 1, text: 'one error: no disk' }, { t: 9, text: 'no ERROR here' }]);
    expect(find(said, 'diskno')).toEqual([]);
    expect(find(said, '  ')).toEqual([]);
  });

  test('a line that is drawn again and again is one place', () => {
    expect(find(pieces([1, 'spin\r'], [1.1, 'spin\r'], [1.2, 'spin\r'], [5, 'spin\r']), 'spin').map(({ t }) => t)).toEqual([1, 5]);
  });
});

test('an asciicast of version 3 has intervals and the size', () => {
  const given = { ...track([1, 'a'], [1.5, '\x1b[m\n']), pieces: [...pieces([1, 'a'], [1.5, '\x1b[m\n']), { t: 4, code: 'r' as const, text: '100x30', at: 2 }] };
  const [head, ...lines] = asciicast(given, { title: 'api', started: 1_700_000_000_999 }).trimEnd().split('\n').map((line) => JSON.parse(line) as unknown);
  expect(head).toEqual({ version: 3, term: SIZE, timestamp: 1_700_000_000, title: 'api' });
  expect(lines).toEqual([[0, 'o', 'a'], [0.5, 'o', '\x1b[m\n'], [2.5, 'r', '100x30']]);
});
