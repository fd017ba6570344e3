// The reducer: what the page knows after what it was told.
import { describe, expect, test } from 'vitest';
import { EVENTS_KEPT, FINAL_KEPT, listed, queue, recent, reduce, reduceAll, REFUSALS_KEPT, START, type Input, type State } from '../src/state.ts';
import { newPrompt } from '../src/ask.ts';
import type { Prompt, Session, ToViewer } from '../src/wire.gen.ts';
import { approval, event, prompt, session } from './made.ts';

const said = (message: ToViewer): Input => ({ type: 'server', message, at: 500 });
const after = (...inputs: Input[]): State => inputs.reduce(reduce, START);
const whole = (sessions: Session[], prompts: Prompt[] = [], approvals = [] as ReturnType<typeof approval>[]): Input =>
  said({ type: 'everything', sessions, prompts, approvals, paused: false });
const hello = (build: string) => said({ type: 'hello', protocol: 1, version: '0.1.0', build, now: 1500, viewer: '' });

describe('the feed', () => {
  test('everything replaces what was known', () => {
    const state = after(
      said({ type: 'session', session: session('gone') }),
      said({ type: 'event', session: 'id-gone', seq: 1, event: event('x') }),
      whole([session('api')], [prompt(1)]),
    );
    expect([...state.sessions.keys()]).toEqual(['id-api']);
    expect(state.events.size).toBe(0);
    expect(state.known).toBe(true);
  });

  test('sessions come, change and go', () => {
    const state = after(said({ type: 'session', session: session('a') }), said({ type: 'session', session: session('a', 'busy') }));
    expect(state.sessions.get('id-a')?.claim.state).toBe('busy');
    expect(reduce(state, said({ type: 'session_gone', session: 'id-a' })).sessions.size).toBe(0);
  });

  test('an older answer does not undo a newer prompt', () => {
    const state = after(
      said({ type: 'prompt', prompt: prompt(1, { state: 'cancelled', changed: 9 }) }),
      { type: 'prompt_answered', prompt: prompt(1, { changed: 5 }) },
    );
    expect(state.prompts.get(1)?.state).toBe('cancelled');
  });

  test('a message of a newer server is passed over', () => {
    const state = after(hello('a'));
    expect(reduce(state, said({ type: 'weather' } as unknown as ToViewer))).toBe(state);
  });

  test('the page is outdated when the build differs from the first', () => {
    expect(after(hello('a'), hello('a')).outdated).toBe(false);
    expect(after(hello('a'), hello('b')).outdated).toBe(true);
    expect(after(hello('a'), hello('b'), hello('a')).outdated).toBe(false);
    expect(after(hello('a')).skew).toBe(1000);
  });
});

describe('what is kept is bounded', () => {
  test('events: the newest, each once, in order', () => {
    let state = START;
    for (let seq = 1; seq <= EVENTS_KEPT + 50; seq++) {
      state = reduce(state, said({ type: 'event', session: 's', seq, event: event(`${seq}`) }));
    }
    state = reduce(state, { type: 'backfill', session: 's', rows: [{ seq: 249, event: event('249') }, { seq: 3, event: event('3') }] });
    const seqs = recent(state, 's').map((row) => row.seq);
    expect(seqs.length).toBe(EVENTS_KEPT);
    expect(seqs[0]).toBe(EVENTS_KEPT + 50);
    expect(new Set(seqs).size).toBe(EVENTS_KEPT);
  });

  test('final prompts: the latest; others are never dropped', () => {
    const prompts = Array.from({ length: FINAL_KEPT + 20 }, (_, id) => prompt(id, { state: 'completed' }));
    const state = after(whole([], [...prompts, prompt(9999)]));
    expect(state.prompts.size).toBe(FINAL_KEPT + 1);
    expect(state.prompts.has(0)).toBe(false);
    expect(state.prompts.has(9999)).toBe(true);
  });

  test('refusals: the same one once, only a few', () => {
    const refused = (why: string) => said({ type: 'refused', what: 'watch', why });
    const state = after(refused('a'), refused('a'), refused('b'), refused('c'), refused('d'), refused('e'));
    expect(state.refusals.map((each) => each.why)).toEqual(['b', 'c', 'd', 'e']);
    expect(state.refusals.length).toBe(REFUSALS_KEPT);
  });
});

describe('what is selected', () => {
  test('sessions keep their place when their state changes; ended ones are last', () => {
    const state = after(whole([session('b', 'busy'), session('a', 'exited'), session('c')], []));
    expect(listed(state).map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });

  test('the queue is in the order in which it is served', () => {
    const urgent = { asked: { ...newPrompt('urgent'), priority: 9 } };
    const done = (id: number, changed: number) => prompt(id, { state: 'completed', changed });
    const state = after(whole([], [prompt(1), prompt(2, urgent), prompt(3, { state: 'held' }), done(4, 1), done(5, 2)]));
    expect(queue(state).map((group) => [group.state, group.prompts.map(({ id }) => id)])).toEqual([
      ['held', [3]],
      ['pending', [2, 1]],
      ['completed', [5, 4]],
    ]);
  });
});

describe('a batch', () => {
  test('gives what its messages give one by one, and copies each map once', () => {
    const start = after(whole([session('a'), session('b')], [prompt(1)]));
    const inputs = Array.from({ length: 50 }, (_, place) =>
      said({ type: 'session', session: session(place % 2 === 0 ? 'a' : 'b', 'busy', { last_line: `${place}` }) }),
    );
    const batch = reduceAll(start, inputs);
    expect(batch).toEqual(inputs.reduce(reduce, start));
    expect(start.sessions.get('id-a')?.claim.state).toBe('idle');
    expect(batch.prompts).toBe(start.prompts);
    expect(batch.approvals).toBe(start.approvals);
  });

  test('counts how lively sessions are', () => {
    const state = after(whole([session('a')]), said({ type: 'session', session: session('a') }), said({ type: 'event', session: 'id-a', seq: 1, event: event('x') }));
    expect(state.sparks.get('id-a')?.counts.at(-1)).toBe(2);
    expect(reduce(state, said({ type: 'session_gone', session: 'id-a' })).sparks.size).toBe(0);
  });
});

describe('what agents ask', () => {
  test('is known until it is answered or gone', () => {
    const state = after(whole([session('a')], [], [approval(1, 'a'), approval(2, 'a', { state: 'gone' })]), said({ type: 'approval', approval: approval(3, 'a') }));
    expect([...state.approvals.keys()]).toEqual([1, 3]);
    const answering = reduce(state, said({ type: 'approval', approval: approval(3, 'a', { state: 'answering' }) }));
    expect(answering.approvals.size).toBe(2);
    expect(reduce(answering, said({ type: 'approval', approval: approval(3, 'a', { state: 'approved' }) })).approvals.size).toBe(1);
  });

  test('prompts of which a person took note are marked at once', () => {
    const state = after(whole([], [prompt(1, { state: 'completed' })]), { type: 'prompts_seen', prompts: [1, 99], at: 7 });
    expect(state.prompts.get(1)?.seen).toBe(7);
    expect(state.prompts.size).toBe(1);
  });

  test('routing is paused and goes on', () => {
    const state = after(whole([]), said({ type: 'routing', paused: true }));
    expect(state.paused).toBe(true);
    expect(after(said({ type: 'routing', paused: true }), whole([])).paused).toBe(false);
  });
});

describe('the keyboard', () => {
  const everything = whole([session('api')], []);
  const asked: Input = { type: 'keyboard_asked', session: 'id-api' };
  const holder = (keyboard: string | null) => said({ type: 'session', session: session('api', 'idle', { keyboard }) });

  test('is ours only after it was asked for and given', () => {
    expect(after(everything, holder('someone')).keyboard.stage).toBe('none');
    expect(after(everything, asked).keyboard.stage).toBe('asked');
    expect(after(everything, asked, holder('me')).keyboard).toEqual({ stage: 'held', session: 'id-api', holder: 'me' });
    expect(after(everything, holder('other'), asked, holder('other')).keyboard.stage).toBe('asked');
    expect(after(everything, holder('other'), asked, holder(null), holder('me')).keyboard.stage).toBe('held');
  });

  test('is ours when the server names this page', () => {
    const named = said({ type: 'hello', protocol: 1, version: '', build: '', now: 0, viewer: 'viewer 7' } as ToViewer);
    expect(after(named, everything, asked, holder('viewer 3')).keyboard.stage).toBe('asked');
    expect(after(named, everything, asked, holder('viewer 7')).keyboard.stage).toBe('held');
    expect(after(named, everything, asked, holder('viewer 7'), holder(null)).keyboard.stage).toBe('none');
  });

  test('is gone when it was refused, given back, taken over, or the connection was lost', () => {
    const held = after(everything, asked, holder('me'));
    expect(after(everything, asked, said({ type: 'refused', what: 'x', why: 'y' })).keyboard.stage).toBe('none');
    expect(reduce(held, holder(null)).keyboard.stage).toBe('none');
    expect(reduce(held, holder('other')).keyboard.stage).toBe('none');
    expect(reduce(held, said({ type: 'refused', what: 'keys', why: 'y' })).keyboard.stage).toBe('none');
    expect(reduce(held, { type: 'connection', connection: { phase: 'lost', attempt: 1, retryAt: 0 } }).keyboard.stage).toBe('none');
    expect(reduce(held, said({ type: 'session_gone', session: 'id-api' })).keyboard.stage).toBe('none');
  });
});
