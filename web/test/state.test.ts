// The reducer: what the page knows after what it was told.
import { describe, expect, test } from 'vitest';
import { EVENTS_KEPT, FINAL_KEPT, listed, needs, queue, recent, reduce, REFUSALS_KEPT, START, type Input, type State } from '../src/state.ts';
import { newPrompt } from '../src/ask.ts';
import type { Event, Prompt, Session, State as Word, ToViewer } from '../src/wire.gen.ts';

function session(name: string, word: Word = 'idle', more: Partial<Session> = {}): Session {
  return {
    id: `id-${name}`,
    name,
    host: 'h',
    host_name: 'host',
    agent: 'claude',
    argv: ['claude'],
    claim: { state: word, source: 'hook', rule: 'r', evidence: 'e', since: 1000, background: false },
    link: 'connected',
    link_since: 0,
    role: null,
    caps: [],
    moves: 'none',
    limited: null,
    context: { dir: '/src', branch: 'main', repo: '/src', env: {}, hash: '' },
    title: '',
    dialog: null,
    prompt: null,
    size: { cols: 80, rows: 24 },
    attached: false,
    keyboard: null,
    last_line: '',
    metrics: {},
    started: 0,
    active: 0,
    exit: null,
    ...more,
  };
}

function prompt(id: number, more: Partial<Prompt> = {}): Prompt {
  return {
    id,
    asked: newPrompt(`prompt ${id}`),
    state: 'pending',
    hold: null,
    due: id,
    session: null,
    tried: 0,
    attempts: 3,
    attempt: null,
    result: null,
    created: id,
    changed: id,
    ...more,
  };
}

const event = (text: string): Event => ({
  at: 0, kind: 'command', severity: 'info', origin: 'tool', rule: 'r', text, fields: {}, offset: 0, fingerprint: text,
});
const said = (message: ToViewer): Input => ({ type: 'server', message, at: 500 });
const after = (...inputs: Input[]): State => inputs.reduce(reduce, START);
const hello = (build: string) => said({ type: 'hello', protocol: 1, version: '0.1.0', build, now: 1500, viewer: '' });

describe('the feed', () => {
  test('everything replaces what was known', () => {
    const state = after(
      said({ type: 'session', session: session('gone') }),
      said({ type: 'event', session: 'id-gone', seq: 1, event: event('x') }),
      said({ type: 'everything', sessions: [session('api')], prompts: [prompt(1)], approvals: [] }),
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
    const state = after(said({ type: 'everything', sessions: [], prompts: [...prompts, prompt(9999)], approvals: [] }));
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
  test('needs: sessions that ask, longest first, then held prompts', () => {
    const claim = (state: Word, since: number) => ({ ...session('x').claim, state, since });
    const state = after(
      said({
        type: 'everything',
        approvals: [],
        sessions: [
          session('b', 'idle', { claim: claim('waiting_input', 20) }),
          session('a', 'idle', { claim: claim('waiting_permission', 10) }),
          session('c', 'unknown'),
        ],
        prompts: [prompt(1, { state: 'held' }), prompt(2), prompt(3, { hold: { code: 'draft', text: '' } })],
      }),
    );
    expect(needs(state).map((need) => (need.kind === 'session' ? need.session.name : need.prompt.id))).toEqual(['a', 'b', 1]);
  });

  test('sessions keep their place when their state changes; ended ones are last', () => {
    const state = after(said({ type: 'everything', sessions: [session('b', 'busy'), session('a', 'exited'), session('c')], prompts: [], approvals: [] }));
    expect(listed(state).map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });

  test('the queue is in the order in which it is served', () => {
    const state = after(
      said({
        type: 'everything',
        approvals: [],
        sessions: [],
        prompts: [prompt(1), prompt(2, { asked: { ...newPrompt('urgent'), priority: 9 } }), prompt(3, { state: 'held' }), prompt(4, { state: 'completed', changed: 1 }), prompt(5, { state: 'completed', changed: 2 })],
      }),
    );
    expect(queue(state).map((group) => [group.state, group.prompts.map(({ id }) => id)])).toEqual([
      ['held', [3]],
      ['pending', [2, 1]],
      ['completed', [5, 4]],
    ]);
  });
});

describe('the keyboard', () => {
  const everything = said({ type: 'everything', sessions: [session('api')], prompts: [], approvals: [] });
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
