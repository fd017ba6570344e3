// How the fleet stands, and which rows of it are drawn.
import { describe, expect, test } from 'vitest';
import { arrange, rowsOf, tally, type Wish } from '../src/fleet.ts';
import { offsets, slice } from '../src/slice.ts';
import { beat, BUCKET_MS, BUCKETS, sparkPath, upTo } from '../src/spark.ts';
import { session } from './made.ts';

const PLAIN: Wish = { group: 'none', sort: 'name', words: '', state: '' };
const fleet = [
  session('w10', 'busy', { host_name: 'b', metrics: { cost_usd: 2 }, role: 'tester' }),
  session('w2', 'idle', { host_name: 'a', metrics: { cost_usd: 5, context_left_percent: 7 } }),
  session('old', 'exited'),
  session('ask', 'waiting_permission', { host_name: 'a', title: 'Sorting' }),
];
const names = (wish: Partial<Wish>) => arrange(fleet, { ...PLAIN, ...wish }).map(({ title, sessions }) => [title, ...sessions.map(({ name }) => name)]);

describe('the fleet', () => {
  test('is in the order of names, with numbers as numbers; ended ones are last', () => {
    expect(names({})).toEqual([['', 'ask', 'w2', 'w10', 'old']]);
  });

  test('is sorted as asked; what is not known is last', () => {
    expect(names({ sort: 'cost' })).toEqual([['', 'w2', 'w10', 'ask', 'old']]);
    expect(names({ sort: 'context' })).toEqual([['', 'w2', 'ask', 'w10', 'old']]);
    expect(names({ sort: 'state' })).toEqual([['', 'ask', 'w10', 'w2', 'old']]);
  });

  test('is grouped as asked: states that want a person first', () => {
    expect(names({ group: 'host' })).toEqual([['a', 'ask', 'w2'], ['b', 'w10'], ['host', 'old']]);
    expect(names({ group: 'state' }).map(([title]) => title)).toEqual(['waiting_permission', 'busy', 'idle', 'exited']);
    expect(names({ group: 'role' })).toEqual([['', 'ask', 'w2', 'old'], ['tester', 'w10']]);
  });

  test('is filtered by all words, and by state', () => {
    expect(names({ words: 'SORT perm' })).toEqual([['', 'ask']]);
    expect(names({ words: 'w idle' })).toEqual([['', 'w2']]);
    expect(names({ state: 'busy' })).toEqual([['', 'w10']]);
    expect(names({ words: 'nothing' })).toEqual([]);
  });

  test('a filter follows a state that changes', () => {
    const before = session('s', 'idle');
    expect(arrange([before], { ...PLAIN, words: 'busy' })).toEqual([]);
    expect(arrange([session('s', 'busy')], { ...PLAIN, words: 'busy' })).toHaveLength(1);
  });

  test('is counted by state', () => {
    expect(tally(fleet)).toEqual([
      { state: 'waiting_permission', count: 1 },
      { state: 'busy', count: 1 },
      { state: 'idle', count: 1 },
      { state: 'exited', count: 1 },
    ]);
  });

  test('is drawn in rows of as many tiles as fit, under headings when it is grouped', () => {
    const wide = rowsOf(arrange(fleet, PLAIN), 3);
    expect(wide.map((row) => ('tiles' in row ? row.tiles.length : 'heading'))).toEqual([3, 1]);
    const grouped = rowsOf(arrange(fleet, { ...PLAIN, group: 'host' }), 3);
    expect(grouped.map((row) => ('tiles' in row ? row.tiles.length : 'heading'))).toEqual(['heading', 2, 'heading', 1, 'heading', 1]);
    expect(new Set(grouped.map(({ key }) => key)).size).toBe(grouped.length);
  });
});

describe('of a long list', () => {
  const starts = offsets([10, 20, 30, 40], (height) => height);

  test('only the rows in sight are drawn', () => {
    expect([...starts]).toEqual([0, 10, 30, 60, 100]);
    expect(slice(starts, 0, 100)).toEqual({ first: 0, last: 4 });
    expect(slice(starts, 10, 30)).toEqual({ first: 1, last: 2 });
    expect(slice(starts, 35, 61)).toEqual({ first: 2, last: 4 });
    expect(slice(starts, -500, 5)).toEqual({ first: 0, last: 1 });
  });

  test('no rows, or a place beyond them, draw nothing that is not there', () => {
    expect(slice(offsets([], () => 1), 0, 100)).toEqual({ first: 0, last: 0 });
    const beyond = slice(starts, 5000, 6000);
    expect(beyond.first).toBeLessThanOrEqual(beyond.last);
    expect(beyond.last).toBeLessThanOrEqual(4);
  });
});

describe('a spark', () => {
  test('counts changes and forgets old ones', () => {
    let spark = beat(undefined, 0);
    spark = beat(spark, 1);
    spark = beat(spark, BUCKET_MS * 2);
    expect(spark.counts.slice(-3)).toEqual([2, 0, 1]);
    expect(spark.counts).toHaveLength(BUCKETS);
    expect(upTo(spark, 4).slice(-3)).toEqual([1, 0, 0]);
    expect(upTo(spark, 10_000).every((count) => count === 0)).toBe(true);
    expect(beat(spark, 0).counts.at(-1)).toBe(2);
  });

  test('is a line within its box', () => {
    const path = sparkPath([0, 4, 1], 20, 10);
    expect(path).toBe('M0.0 10.0L10.0 0.0L20.0 5.0');
  });
});
