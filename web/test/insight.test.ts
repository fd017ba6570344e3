// Sums over the past, and commands in one field.
import { describe, expect, test } from 'vitest';
import { sentence, words } from '../src/admin/command.ts';
import { heat, share, spanOf, steps, sums, taskOf, totals } from '../src/insight.ts';

const HOUR = 3_600_000;

describe('a range', () => {
  test('is the chosen one unless the address has another', () => {
    expect(spanOf(null, null, '24h', 100 * HOUR)).toEqual({ from: 76 * HOUR, to: 100 * HOUR });
    expect(spanOf(5, 9, '24h', 100)).toEqual({ from: 5, to: 9 });
    expect(spanOf(9, 5, '24h', 100 * HOUR)).toEqual({ from: 5 - 24 * HOUR, to: 5 });
  });
});

describe('ends of prompts', () => {
  const ends = [
    { at: 2 * HOUR, outcome: 'completed' as const, count: 3 },
    { at: 4 * HOUR, outcome: 'timed_out' as const, count: 1 },
    { at: 4 * HOUR, outcome: 'interrupted' as const, count: 2 },
  ];

  test('are summed by how they ended', () => {
    expect(totals(ends)).toEqual({ ended: 6, completed: 3, by: { completed: 3, timed_out: 1, interrupted: 2 } });
    expect(share(1, 3)).toBe(33);
    expect(share(0, 0)).toBeNull();
  });

  test('stand in steps without gaps, where the server lets a step begin', () => {
    const { at, values } = steps({ from: HOUR / 2, to: 5 * HOUR, step_ms: HOUR, ends });
    expect(at).toEqual([0, 1, 2, 3, 4].map((hour) => hour * 3600));
    expect(values).toEqual({ completed: [0, 0, 3, 0, 0], failed: [0, 0, 0, 0, 1], other: [0, 0, 0, 0, 2] });
    expect(steps({ from: 0, to: 2 * HOUR, step_ms: HOUR, ends: [] }).at).toEqual([0, 3600]);
  });
});

test('usage is summed by agent, dearest first, and by day in order', () => {
  const row = (day: number, agent: string, cost_usd: number) => ({ day, agent, project: '/p', prompts: 1, tokens_in: 10, tokens_out: 1, cost_usd });
  const usage = [row(200, 'a', 1), row(100, 'b', 5), row(200, 'a', 2)];
  expect(sums(usage, 'agent').map(({ name, cost_usd, prompts }) => [name, cost_usd, prompts])).toEqual([['b', 5, 1], ['a', 3, 2]]);
  expect(sums(usage, 'day').map(({ name, tokens_in }) => [name, tokens_in])).toEqual([['100', 10], ['200', 20]]);
});

test('changes of context are told by session and hour of the day', () => {
  const map = heat([{ session: 'a', hour: HOUR, count: 1 }, { session: 'b', hour: 25 * HOUR, count: 4 }, { session: 'b', hour: HOUR, count: 1 }], (at) => (at / HOUR) % 24);
  expect(map.rows.map(({ session, sum, cells }) => [session, sum, cells[1]])).toEqual([['b', 5, 5], ['a', 1, 1]]);
  expect(map.most).toBe(5);
  expect(heat([], () => 0)).toEqual({ rows: [], most: 1 });
});

test('an error becomes a task that says how often and where', () => {
  expect(taskOf({ rule: 'r', text: 'disk full', count: 1 }, ['api'])).toBe('Find the cause of this error and mend it. It was seen 1 time in api:\n\ndisk full\n');
});

test('a command in one field keeps its arguments', () => {
  for (const command of [['claude'], ['sh', '-c', 'echo "a b"; ls \\'], ["it's", 'a b', '']]) expect(words(sentence(command))).toEqual(command);
  expect(words(`a 'b c' "d \\"e"`)).toEqual(['a', 'b c', 'd "e']);
});
