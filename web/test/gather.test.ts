// What is heard and not yet taken.
import { expect, test } from 'vitest';
import { Gathered } from '../src/gather.ts';
import { reduce, START } from '../src/state.ts';
import { session } from './made.ts';

const about = (name: string, line: string) => JSON.stringify({ type: 'session', session: session(name, 'idle', { last_line: line }) });

test('of several messages about one thing the last is handed on, in its place; what was passed over is counted', () => {
  const gathered = new Gathered();
  const gone = '{"type":"session_gone","session":"id-a"}';
  const prompt = (state: string) => `{"type":"prompt","prompt":{"id":7,"state":"${state}"}}`;
  for (const text of [about('a', '1'), about('b', '1'), prompt('pending'), about('a', '2'), gone, prompt('held'), about('a', '3')]) gathered.add(text);
  const { texts, passed } = gathered.take();
  expect(texts).toEqual([about('b', '1'), gone, prompt('held'), about('a', '3')]);
  expect(passed).toEqual([['id-a', 2]]);
  expect(gathered.isEmpty).toBe(true);
  expect(gathered.take()).toEqual({ texts: [], passed: [] });
});

test('events and what is not understood are all handed on', () => {
  const gathered = new Gathered();
  const event = '{"type":"event","session":"a","seq":1}';
  for (const text of [event, event, '{"type":"weather"}', '{"type":"weather"}', 'nonsense']) gathered.add(text);
  expect(gathered.take().texts).toHaveLength(5);
});

test('what was passed over still counts as liveliness', () => {
  expect(reduce(START, { type: 'passed', passed: [['a', 3]], at: 0 }).sparks.get('a')?.counts.at(-1)).toBe(3);
});
