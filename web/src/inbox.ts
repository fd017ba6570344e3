// Owns what a person is asked to look at, in which order, and what can be done with several at once.
// Must not: do it, or judge what is asked.
import { isFinal, type State } from './state.ts';
import type { Approval, Prompt, Session } from './wire.gen.ts';

/** What the agent waits for, or what came of a prompt. */
export type Item =
  | { kind: 'ask'; key: string; since: number; session: Session; approval: Approval }
  /** A session that waits for something that could not be read. */
  | { kind: 'stuck'; key: string; since: number; session: Session }
  | { kind: 'held' | 'failed' | 'done'; key: string; since: number; prompt: Prompt };

export const SECTIONS = ['needs', 'failed', 'done'] as const;
export type Section = (typeof SECTIONS)[number];

export type Inbox = Readonly<Record<Section, readonly Item[]>>;

type Known = Pick<State, 'sessions' | 'prompts' | 'approvals'>;

/** Everything that wants a person's eye, oldest first in each section. */
export function inbox(state: Known): Inbox {
  const needs: Item[] = [...asks(state)];
  const failed: Item[] = [];
  const done: Item[] = [];
  for (const prompt of state.prompts.values()) {
    const item = <K extends 'held' | 'failed' | 'done'>(kind: K) => ({ kind, key: promptKey(prompt.id), since: prompt.changed, prompt });
    if (prompt.state === 'held') needs.push(item('held'));
    else if (isSeen(prompt)) continue;
    else if (prompt.state === 'failed') failed.push(item('failed'));
    else if (prompt.state === 'completed') done.push(item('done'));
  }
  const byAge = (a: Item, b: Item) => a.since - b.since || (a.key < b.key ? -1 : 1);
  return { needs: needs.sort(byAge), failed: failed.sort(byAge), done: done.sort(byAge) };
}

/** How many of them wait for a person; what is merely finished does not. */
export const waiting = ({ needs, failed }: Inbox): number => needs.length + failed.length;

function* asks(state: Known): Generator<Item> {
  const asking = new Set<string>();
  for (const approval of state.approvals.values()) {
    const session = state.sessions.get(approval.session);
    if (session === undefined || session.exit !== null) continue;
    asking.add(session.id);
    yield { kind: 'ask', key: `a${approval.id}`, since: approval.opened, session, approval };
  }
  for (const session of state.sessions.values()) {
    const { state: word, since } = session.claim;
    if ((word !== 'waiting_permission' && word !== 'waiting_input') || asking.has(session.id)) continue;
    yield { kind: 'stuck', key: `s${session.id}`, since, session };
  }
}

const promptKey = (id: number): string => `p${id}`;

function isSeen(prompt: Prompt): boolean {
  return (prompt.seen ?? null) !== null;
}

/** What can be done with the chosen ones; each list holds those with which it can. */
export type Doable = {
  /** Requests that can be approved and denied. */
  answer: { session: Session; approval: Approval }[];
  retry: Prompt[];
  cancel: Prompt[];
  seen: Prompt[];
};

export function doable(items: readonly Item[]): Doable {
  const prompts = doableTo(items.flatMap((item) => (item.kind === 'ask' || item.kind === 'stuck' ? [] : [item.prompt])));
  const asks = items.flatMap((item) => (item.kind === 'ask' ? [item] : []));
  return { ...prompts, answer: asks.filter(({ approval }) => approval.dialog.answerable && approval.state === 'open') };
}

/** The same for prompts, wherever they stand. */
export function doableTo(prompts: readonly Prompt[]): Doable {
  const ended = (prompt: Prompt) => prompt.state === 'completed' || prompt.state === 'failed';
  return {
    answer: [],
    retry: prompts.filter(({ state }) => state === 'held' || state === 'failed' || state === 'cancelled'),
    cancel: prompts.filter(({ state }) => !isFinal(state)),
    seen: prompts.filter((prompt) => ended(prompt) && !isSeen(prompt)),
  };
}

/** Where the focus goes when what had it is gone: to what took its place, else to the last. */
export function successor(before: readonly string[], now: readonly string[], gone: string): string | null {
  const there = new Set(now);
  const at = before.indexOf(gone);
  const next = before.slice(at + 1).find((key) => there.has(key));
  return next ?? now.at(-1) ?? null;
}
