// What is heard and not yet taken.
import { expect, test } from 'vitest';
import { Gathered, MOST } from '../src/gather.ts';
import { reduce, START } from '../src/state.ts';
import { session } from './made.ts';

const about = (name: string, line: string) => JSON.stringify({ type: 'session', session: session(name, 'idle', { last_line: line }) });

test('of several messages about one thing the last is handed on, in the place of the first; what was passed over is counted', () => {
  const gathered = new Gathered();
  const prompt = (state: string) => `{"type":"prompt","prompt":{"id":7,"state":"${state}"}}`;
  for (const text of [about('a', '1'), about('b', '1'), prompt('pending'), about('a', '2'), prompt('held'), about('a', '3')]) gathered.add(text);
  const { texts, passed } = gathered.take();
  expect(texts).toEqual([about('a', '3'), about('b', '1'), prompt('held')]);
  expect(passed).toEqual([['id-a', 2]]);
  expect(gathered.isEmpty).toBe(true);
  expect(gathered.take()).toEqual({ texts: [], passed: [] });
});

test('nothing comes before what takes things away or sets them all', () => {
  for (const turn of ['{"type":"session_gone","session":"id-a"}', '{"type":"everything","sessions":[]}']) {
    const gathered = new Gathered();
    for (const text of [about('a', '1'), turn, about('a', '2'), about('a', '3')]) gathered.add(text);
    expect(gathered.take().texts).toEqual([about('a', '1'), turn, about('a', '3')]);
  }
});

test('a crowd is handed on in parts, and nobody waits behind those who say more', () => {
  const gathered = new Gathered();
  const names = Array.from({ length: MOST + 10 }, (_, at) => `s${at}`);
  for (const name of names) gathered.add(about(name, '1'));
  for (const name of names.slice(0, 5)) gathered.add(about(name, '2'));
  expect(gathered.take().texts).toHaveLength(MOST);
  for (const name of names.slice(0, 5)) gathered.add(about(name, '3'));
  expect(gathered.take().texts).toEqual([...names.slice(MOST).map((name) => about(name, '1')), ...names.slice(0, 5).map((name) => about(name, '3'))]);
  expect(gathered.isEmpty).toBe(true);
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
