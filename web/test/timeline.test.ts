// What happened in a session, in one order.
import { expect, test } from 'vitest';
import { folded, timeline, withPresent } from '../src/timeline.ts';
import { event, session } from './made.ts';

const claim = (since: number, state: 'idle' | 'busy' = 'idle') => ({ ...session('x').claim, since, state });

test('states and events are in one order, newest first', () => {
  const rows = [
    { seq: 1, event: { ...event('a'), at: 10 } },
    { seq: 2, event: { ...event('b'), at: 20 } },
  ];
  const moments = timeline(rows, [claim(20, 'busy'), claim(5)]);
  expect(moments.map(({ kind, at }) => `${kind} ${at}`)).toEqual(['state 20', 'event 20', 'event 10', 'state 5']);
  expect(new Set(moments.map(({ key }) => key)).size).toBe(4);
});

test('the present state is there once, whichever was heard first', () => {
  expect(withPresent([], claim(1))).toEqual([claim(1)]);
  expect(withPresent([claim(1)], claim(1))).toEqual([claim(1)]);
  expect(withPresent([claim(1)], claim(2, 'busy'))).toEqual([claim(2, 'busy'), claim(1)]);
  expect(withPresent([claim(3), claim(1)], claim(2, 'busy'))).toEqual([claim(3), claim(1)]);
});

test('a state that was told again is one, as old as the first and with the last evidence', () => {
  const told = [{ ...claim(30, 'busy'), rule: 'better' }, claim(20, 'busy'), claim(10), claim(5, 'busy')];
  expect(folded(told)).toEqual([{ ...claim(20, 'busy'), rule: 'better' }, claim(10), claim(5, 'busy')]);
});
