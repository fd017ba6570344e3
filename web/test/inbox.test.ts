// What a person is asked to look at.
import { expect, test } from 'vitest';
import { doable, inbox, successor, waiting } from '../src/inbox.ts';
import { START } from '../src/state.ts';
import type { Approval, Prompt, Session } from '../src/wire.gen.ts';
import { approval, prompt, session } from './made.ts';

function known(sessions: Session[], prompts: Prompt[], approvals: Approval[] = []) {
  const by = <K, V>(rows: V[], key: (row: V) => K) => new Map(rows.map((row) => [key(row), row]));
  return { ...START, sessions: by(sessions, ({ id }) => id), prompts: by(prompts, ({ id }) => id), approvals: by(approvals, ({ id }) => id) };
}
const claim = (state: Session['claim']['state'], since: number) => ({ claim: { ...session('x').claim, state, since } });

test('what waits stands oldest first, whatever it is', () => {
  const box = inbox(
    known(
      [session('a', 'idle', claim('waiting_permission', 1)), session('b', 'idle', claim('waiting_input', 20)), session('c', 'unknown')],
      [prompt(1, { state: 'held', changed: 15 }), prompt(2), prompt(3, { hold: { code: 'draft', text: '' } })],
      [approval(10, 'a'), approval(30, 'a')],
    ),
  );
  expect(box.needs.map(({ key }) => key)).toEqual(['a10', 'p1', 'sid-b', 'a30']);
  expect(waiting(box)).toBe(4);
});

test('what failed or finished is told until somebody took note', () => {
  const box = inbox(
    known([], [
      prompt(1, { state: 'failed' }),
      prompt(2, { state: 'failed', seen: 5 }),
      prompt(3, { state: 'completed', changed: 9 }),
      prompt(4, { state: 'completed', changed: 8 }),
      prompt(5, { state: 'cancelled' }),
    ]),
  );
  expect(box.failed.map(({ key }) => key)).toEqual(['p1']);
  expect(box.done.map(({ key }) => key)).toEqual(['p4', 'p3']);
  expect(waiting(box)).toBe(1);
});

test('a request of a session that is gone is no request', () => {
  const exit = { how: 'code' as const, code: 0 };
  expect(inbox(known([session('a', 'exited', { exit })], [], [approval(1, 'a'), approval(2, 'b')])).needs).toEqual([]);
});

test('of what is chosen, only what can be done is done', () => {
  const dialog = { ...approval(2, 'a').dialog, answerable: false };
  const box = inbox(
    known([session('a')], [prompt(1, { state: 'held' }), prompt(2, { state: 'failed' }), prompt(3, { state: 'completed' })], [
      approval(1, 'a'),
      approval(2, 'a', { dialog }),
      approval(3, 'a', { state: 'answering' }),
    ]),
  );
  const can = doable([...box.needs, ...box.failed, ...box.done]);
  expect(can.answer.map(({ approval: { id } }) => id)).toEqual([1]);
  expect([can.retry, can.cancel, can.seen].map((prompts) => prompts.map(({ id }) => id))).toEqual([[1, 2], [1], [2, 3]]);
});

test('the focus goes to what took the place of what is gone', () => {
  expect(successor(['a', 'b', 'c'], ['a', 'c'], 'b')).toBe('c');
  expect(successor(['a', 'b', 'c'], ['a', 'b'], 'c')).toBe('b');
  expect(successor(['a', 'b', 'c'], ['a'], 'b')).toBe('a');
  expect(successor(['a'], [], 'a')).toBeNull();
});
