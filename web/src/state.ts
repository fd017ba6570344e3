// Owns what the page knows: a pure reducer over what the server says. Must not: do I/O, read the clock, or
// decide anything about sessions and prompts; it only keeps, sorts and selects.
import type { Event, EventRow, Prompt, PromptState, Session, SessionId, ToViewer } from './wire.gen.ts';

/** Events kept for each session. */
export const EVENTS_KEPT = 200;
/** Final prompts kept; the server sends as many at first. */
export const FINAL_KEPT = 200;
/** Refusals shown at once. */
export const REFUSALS_KEPT = 4;

export type Connection =
  | { phase: 'connecting' }
  | { phase: 'open' }
  | { phase: 'lost'; attempt: number; retryAt: number }
  | { phase: 'login' };

/** This page's claim on one session's keyboard. `asked` turns into `held` when the session gets another holder than before. */
export type Keyboard =
  | { stage: 'none' }
  | { stage: 'asked'; session: SessionId; before: string | null }
  | { stage: 'held'; session: SessionId; holder: string };

export type Refusal = { id: number; what: string; why: string };

export type State = {
  connection: Connection;
  /** Whether the server has said at least once what there is. */
  known: boolean;
  version: string;
  /** Build of the first hello: the page that is running. */
  build: string;
  /** What the server calls this page where it says who holds a keyboard; empty while it does not say. */
  viewer: string;
  /** How often the server said everything anew: each time, events may have been missed. */
  wholes: number;
  /** The server now carries other files than this page was made from. */
  outdated: boolean;
  /** Server's clock minus this machine's. */
  skew: number;
  sessions: ReadonlyMap<SessionId, Session>;
  prompts: ReadonlyMap<number, Prompt>;
  events: ReadonlyMap<SessionId, readonly EventRow[]>;
  keyboard: Keyboard;
  refusals: readonly Refusal[];
  refused: number;
};

export type Input =
  | { type: 'server'; message: ToViewer; at: number }
  | { type: 'connection'; connection: Connection }
  | { type: 'backfill'; session: SessionId; rows: readonly EventRow[] }
  | { type: 'prompt_answered'; prompt: Prompt }
  | { type: 'keyboard_asked'; session: SessionId }
  | { type: 'keyboard_released' }
  | { type: 'refusal_read'; id: number };

export const START: State = {
  connection: { phase: 'connecting' },
  known: false,
  version: '',
  build: '',
  viewer: '',
  wholes: 0,
  outdated: false,
  skew: 0,
  sessions: new Map(),
  prompts: new Map(),
  events: new Map(),
  keyboard: { stage: 'none' },
  refusals: [],
  refused: 0,
};

export function reduce(state: State, input: Input): State {
  switch (input.type) {
    case 'server':
      return heard(state, input.message, input.at);
    case 'connection':
      return connected(state, input.connection);
    case 'backfill':
      return { ...state, events: withEvents(state.events, input.session, input.rows) };
    case 'prompt_answered':
      return withPrompt(state, input.prompt);
    case 'keyboard_asked':
      return { ...state, keyboard: askedFor(state, input.session) };
    case 'keyboard_released':
      return { ...state, keyboard: { stage: 'none' } };
    case 'refusal_read':
      return { ...state, refusals: state.refusals.filter((refusal) => refusal.id !== input.id) };
  }
}

function heard(state: State, message: ToViewer, at: number): State {
  switch (message.type) {
    case 'hello': {
      const build = state.build === '' ? message.build : state.build;
      const skew = message.now - at;
      return { ...state, version: message.version, build, outdated: build !== message.build, skew, viewer: viewerOf(message) };
    }
    case 'everything':
      return everything(state, message.sessions, message.prompts);
    case 'session':
      return withSession(state, message.session);
    case 'session_gone':
      return withoutSession(state, message.session);
    case 'prompt':
      return withPrompt(state, message.prompt);
    case 'prompt_gone':
      return { ...state, prompts: new Map([...state.prompts].filter(([id]) => id !== message.prompt)) };
    case 'approval':
      return state;
    case 'event':
      return {
        ...state,
        events: withEvents(state.events, message.session, [{ seq: message.seq, event: message.event }]),
      };
    case 'refused':
      return refuse(state, message.what, message.why);
    default:
      // A newer server may say more than this page knows.
      return state;
  }
}

/** Servers of the first protocol may not name their viewers. */
function viewerOf(hello: { type: 'hello'; viewer?: string }): string {
  return hello.viewer ?? '';
}

/** The server forgets a viewer's keyboard with its connection, and so does the page. */
function connected(state: State, connection: Connection): State {
  const keyboard: Keyboard = connection.phase === 'open' ? state.keyboard : { stage: 'none' };
  return { ...state, connection, keyboard };
}

function everything(state: State, sessions: readonly Session[], prompts: readonly Prompt[]): State {
  const listed = new Map(sessions.map((session) => [session.id, session]));
  const events = new Map([...state.events].filter(([session]) => listed.has(session)));
  const next = { ...state, known: true, wholes: state.wholes + 1, sessions: listed, events, prompts: bounded(new Map(prompts.map((p) => [p.id, p]))) };
  return { ...next, keyboard: keyboardAfter(next, state.keyboard) };
}

function withSession(state: State, session: Session): State {
  const sessions = new Map(state.sessions).set(session.id, session);
  const next = { ...state, sessions };
  return { ...next, keyboard: keyboardAfter(next, state.keyboard) };
}

function withoutSession(state: State, id: SessionId): State {
  const sessions = new Map(state.sessions);
  const events = new Map(state.events);
  sessions.delete(id);
  events.delete(id);
  const next = { ...state, sessions, events };
  return { ...next, keyboard: keyboardAfter(next, state.keyboard) };
}

/** Answers to requests and the feed race: what changed later wins. */
function withPrompt(state: State, prompt: Prompt): State {
  const known = state.prompts.get(prompt.id);
  if (known !== undefined && known.changed > prompt.changed) return state;
  return { ...state, prompts: bounded(new Map(state.prompts).set(prompt.id, prompt)) };
}

function askedFor(state: State, session: SessionId): Keyboard {
  return { stage: 'asked', session, before: state.sessions.get(session)?.keyboard ?? null };
}

function keyboardAfter(state: Pick<State, 'sessions' | 'viewer'>, keyboard: Keyboard): Keyboard {
  if (keyboard.stage === 'none') return keyboard;
  const session = state.sessions.get(keyboard.session);
  if (session === undefined || session.exit !== null) return { stage: 'none' };
  const holder = session.keyboard;
  if (keyboard.stage === 'asked') {
    if (state.viewer !== '') return holder === state.viewer ? { stage: 'held', session: session.id, holder } : keyboard;
    if (holder === keyboard.before) return keyboard;
    return holder === null ? { ...keyboard, before: null } : { stage: 'held', session: session.id, holder };
  }
  return holder === keyboard.holder ? keyboard : { stage: 'none' };
}

/** A refusal while the keyboard is being asked for, or of keys, means that it is not ours. */
function refuse(state: State, what: string, why: string): State {
  const keyboard: Keyboard =
    state.keyboard.stage === 'asked' || /key/i.test(what) ? { stage: 'none' } : state.keyboard;
  const refused = state.refused + 1;
  const others = state.refusals.filter((refusal) => refusal.what !== what || refusal.why !== why);
  const refusals = [...others, { id: refused, what, why }].slice(-REFUSALS_KEPT);
  return { ...state, keyboard, refused, refusals };
}

/** Rows by number, each once, the newest kept. */
function withEvents(
  events: State['events'],
  session: SessionId,
  rows: readonly EventRow[],
): ReadonlyMap<SessionId, readonly EventRow[]> {
  const known = events.get(session) ?? [];
  const last = known.at(-1)?.seq ?? -Infinity;
  const [row] = rows;
  let merged: EventRow[];
  if (rows.length === 1 && row !== undefined && row.seq > last) {
    merged = [...known, row];
  } else {
    const bySeq = new Map([...known, ...rows].map((each) => [each.seq, each]));
    merged = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }
  return new Map(events).set(session, merged.slice(-EVENTS_KEPT));
}

function bounded(prompts: Map<number, Prompt>): Map<number, Prompt> {
  const final = [...prompts.values()].filter((prompt) => isFinal(prompt.state));
  if (final.length <= FINAL_KEPT) return prompts;
  final.sort((a, b) => a.changed - b.changed);
  for (const prompt of final.slice(0, final.length - FINAL_KEPT)) prompts.delete(prompt.id);
  return prompts;
}

/** Nothing further happens to it. */
export function isFinal(state: PromptState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

export type Need = { kind: 'session'; session: Session } | { kind: 'prompt'; prompt: Prompt };

/** What waits for a person, longest first: sessions that ask, then prompts that are held. */
export function needs(state: Pick<State, 'sessions' | 'prompts'>): Need[] {
  const asking = [...state.sessions.values()]
    .filter(({ claim }) => claim.state === 'waiting_permission' || claim.state === 'waiting_input')
    .sort((a, b) => a.claim.since - b.claim.since);
  const held = [...state.prompts.values()].filter(({ state }) => state === 'held').sort((a, b) => a.changed - b.changed);
  return [
    ...asking.map((session): Need => ({ kind: 'session', session })),
    ...held.map((prompt): Need => ({ kind: 'prompt', prompt })),
  ];
}

/** All sessions in an order that does not jump with their states: live ones by name, then those that ended. */
export function listed(state: Pick<State, 'sessions'>): Session[] {
  const ended = (session: Session) => (session.claim.state === 'exited' ? 1 : 0);
  return [...state.sessions.values()].sort(
    (a, b) => ended(a) - ended(b) || a.name.localeCompare(b.name) || a.id.localeCompare(b.id),
  );
}

/** The order in which the queue shows its sections. */
export const QUEUE_ORDER: readonly PromptState[] = [
  'held',
  'in_progress',
  'assigned',
  'pending',
  'failed',
  'completed',
  'cancelled',
];

/** Prompts by state: waiting ones in the order they will be served, final ones newest first. */
export function queue(state: Pick<State, 'prompts'>): { state: PromptState; prompts: Prompt[] }[] {
  return QUEUE_ORDER.map((word) => {
    const prompts = [...state.prompts.values()].filter((prompt) => prompt.state === word);
    prompts.sort((a, b) =>
      isFinal(word) ? b.changed - a.changed : b.asked.priority - a.asked.priority || a.created - b.created || a.id - b.id,
    );
    return { state: word, prompts };
  }).filter(({ prompts }) => prompts.length > 0);
}

/** A session's newest events first. */
export function recent(state: Pick<State, 'events'>, session: SessionId): { seq: number; event: Event }[] {
  return [...(state.events.get(session) ?? [])].reverse();
}
