// Owns what the page knows: a pure reducer over what the server says, a batch of messages at a time. Must
// not: do I/O, read the clock, or decide anything about sessions and prompts; it only keeps and sorts.
import { Draft } from './draft.ts';
import { beat, type Spark } from './spark.ts';
import type { Approval, ApprovalId, Event, EventRow, Prompt, PromptId, PromptState, Session, SessionId, ToViewer } from './wire.gen.ts';

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
  /** No prompts are given out. */
  paused: boolean;
  sessions: ReadonlyMap<SessionId, Session>;
  prompts: ReadonlyMap<PromptId, Prompt>;
  /** What agents ask and nobody has answered. */
  approvals: ReadonlyMap<ApprovalId, Approval>;
  events: ReadonlyMap<SessionId, readonly EventRow[]>;
  /** How lively sessions were since the page was opened. */
  sparks: ReadonlyMap<SessionId, Spark>;
  keyboard: Keyboard;
  refusals: readonly Refusal[];
  refused: number;
};

export type Input =
  | { type: 'server'; message: ToViewer; at: number }
  /** So many messages about sessions were not handed on, as later ones made them void. */
  | { type: 'passed'; passed: readonly (readonly [SessionId, number])[]; at: number }
  | { type: 'connection'; connection: Connection }
  | { type: 'backfill'; session: SessionId; rows: readonly EventRow[] }
  | { type: 'prompt_answered'; prompt: Prompt }
  | { type: 'prompts_seen'; prompts: readonly PromptId[]; at: number }
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
  paused: false,
  sessions: new Map(),
  prompts: new Map(),
  approvals: new Map(),
  events: new Map(),
  sparks: new Map(),
  keyboard: { stage: 'none' },
  refusals: [],
  refused: 0,
};

export const reduce = (state: State, input: Input): State => reduceAll(state, [input]);

/** Takes in a batch: maps are copied once, not for each message. */
export function reduceAll(state: State, inputs: readonly Input[]): State {
  const draft = new Draft(state);
  for (const input of inputs) take(draft, input);
  if (draft.state.prompts !== state.prompts) bound(draft.map('prompts'));
  return draft.state;
}

function take(draft: Draft<State>, input: Input): void {
  switch (input.type) {
    case 'server':
      return hear(draft, input.message, input.at);
    case 'passed':
      for (const [session, times] of input.passed) count(draft, session, input.at, times);
      return;
    case 'connection':
      return connect(draft, input.connection);
    case 'backfill':
      return addEvents(draft, input.session, input.rows);
    case 'prompt_answered':
      return setPrompt(draft, input.prompt);
    case 'prompts_seen':
      return markSeen(draft, input.prompts, input.at);
    case 'keyboard_asked':
      return draft.put({ keyboard: askedFor(draft.state, input.session) });
    case 'keyboard_released':
      return draft.put({ keyboard: { stage: 'none' } });
    case 'refusal_read':
      return draft.put({ refusals: draft.state.refusals.filter((refusal) => refusal.id !== input.id) });
  }
}

function hear(draft: Draft<State>, message: ToViewer, at: number): void {
  switch (message.type) {
    case 'hello': {
      const build = draft.state.build === '' ? message.build : draft.state.build;
      const { version, viewer } = message;
      return draft.put({ version, build, outdated: build !== message.build, skew: message.now - at, viewer });
    }
    case 'everything':
      return everything(draft, message);
    case 'routing':
      return draft.put({ paused: message.paused });
    case 'session':
      draft.map('sessions').set(message.session.id, message.session);
      count(draft, message.session.id, at);
      return checkKeyboard(draft);
    case 'session_gone':
      return forget(draft, message.session);
    case 'prompt':
      return setPrompt(draft, message.prompt);
    case 'prompt_gone':
      draft.map('prompts').delete(message.prompt);
      return;
    case 'approval':
      return setApproval(draft, message.approval);
    case 'event':
      count(draft, message.session, at);
      return addEvents(draft, message.session, [{ seq: message.seq, event: message.event }]);
    case 'refused':
      return refuse(draft, message.what, message.why);
    default:
    // A newer server may say more than this page knows.
  }
}

/** The server forgets a viewer's keyboard with its connection, and so does the page. */
function connect(draft: Draft<State>, connection: Connection): void {
  draft.put({ connection });
  if (connection.phase !== 'open') draft.put({ keyboard: { stage: 'none' } });
}

function everything(draft: Draft<State>, message: ToViewer & { type: 'everything' }): void {
  const sessions = new Map(message.sessions.map((session) => [session.id, session]));
  const kept = <V>(map: ReadonlyMap<SessionId, V>) => new Map([...map].filter(([id]) => sessions.has(id)));
  draft.replace('sessions', sessions);
  draft.replace('events', kept(draft.state.events));
  draft.replace('sparks', kept(draft.state.sparks));
  draft.replace('prompts', new Map(message.prompts.map((prompt) => [prompt.id, prompt])));
  draft.replace('approvals', new Map(message.approvals.filter(isOpen).map((approval) => [approval.id, approval])));
  draft.put({ known: true, wholes: draft.state.wholes + 1, paused: message.paused });
  checkKeyboard(draft);
}

function forget(draft: Draft<State>, id: SessionId): void {
  draft.map('sessions').delete(id);
  draft.map('events').delete(id);
  draft.map('sparks').delete(id);
  checkKeyboard(draft);
}

/** Answers to requests and the feed race: what changed later wins. */
function setPrompt(draft: Draft<State>, prompt: Prompt): void {
  const known = draft.state.prompts.get(prompt.id);
  if (known === undefined || known.changed <= prompt.changed) draft.map('prompts').set(prompt.id, prompt);
}

function markSeen(draft: Draft<State>, ids: readonly PromptId[], at: number): void {
  for (const id of ids) {
    const prompt = draft.state.prompts.get(id);
    if (prompt !== undefined) draft.map('prompts').set(id, { ...prompt, seen: at });
  }
}

function setApproval(draft: Draft<State>, approval: Approval): void {
  if (isOpen(approval)) draft.map('approvals').set(approval.id, approval);
  else draft.map('approvals').delete(approval.id);
}

/** Whether somebody still has to answer it. */
function isOpen(approval: Approval): boolean {
  return approval.state === 'open' || approval.state === 'answering';
}

function count(draft: Draft<State>, id: SessionId, at: number, times = 1): void {
  draft.map('sparks').set(id, beat(draft.state.sparks.get(id), at, times));
}

function askedFor(state: State, session: SessionId): Keyboard {
  return { stage: 'asked', session, before: state.sessions.get(session)?.keyboard ?? null };
}

function checkKeyboard(draft: Draft<State>): void {
  const { keyboard } = draft.state;
  const next = keyboardAfter(draft.state, keyboard);
  if (next !== keyboard) draft.put({ keyboard: next });
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
function refuse(draft: Draft<State>, what: string, why: string): void {
  const { state } = draft;
  const keyboard: Keyboard = state.keyboard.stage === 'asked' || /key/i.test(what) ? { stage: 'none' } : state.keyboard;
  const refused = state.refused + 1;
  const others = state.refusals.filter((refusal) => refusal.what !== what || refusal.why !== why);
  const refusals = [...others, { id: refused, what, why }].slice(-REFUSALS_KEPT);
  draft.put({ keyboard, refused, refusals });
}

/** Rows by number, each once, the newest kept. */
function addEvents(draft: Draft<State>, session: SessionId, rows: readonly EventRow[]): void {
  const known = draft.state.events.get(session) ?? [];
  const last = known.at(-1)?.seq ?? -Infinity;
  const [row] = rows;
  let merged: EventRow[];
  if (rows.length === 1 && row !== undefined && row.seq > last) {
    merged = [...known, row];
  } else {
    const bySeq = new Map([...known, ...rows].map((each) => [each.seq, each]));
    merged = [...bySeq.values()].sort((a, b) => a.seq - b.seq);
  }
  draft.map('events').set(session, merged.slice(-EVENTS_KEPT));
}

/** Drops the oldest final prompts beyond those that are kept. */
function bound(prompts: Map<PromptId, Prompt>): void {
  const final = [...prompts.values()].filter((prompt) => isFinal(prompt.state));
  if (final.length <= FINAL_KEPT) return;
  final.sort((a, b) => a.changed - b.changed);
  for (const prompt of final.slice(0, final.length - FINAL_KEPT)) prompts.delete(prompt.id);
}

/** Nothing further happens to it. */
export function isFinal(state: PromptState): boolean {
  return state === 'completed' || state === 'failed' || state === 'cancelled';
}

/** All sessions in an order that does not jump with their states: live ones by name, then those that ended. */
export function listed(state: Pick<State, 'sessions'>): Session[] {
  const ended = (session: Session) => (session.claim.state === 'exited' ? 1 : 0);
  return [...state.sessions.values()].sort((a, b) => ended(a) - ended(b) || compare(a.name, b.name) || compare(a.id, b.id));
}

/** Names with numbers in them are in the order of the numbers. */
export const compare: (a: string, b: string) => number = new Intl.Collator('en', { numeric: true }).compare;

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
