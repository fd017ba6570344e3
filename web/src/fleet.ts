// Owns how the sessions are grouped, sorted and filtered in the fleet. Must not: read the address or draw.
import { compare } from './state.ts';
import type { Session, SessionId, State as Word } from './wire.gen.ts';

export const GROUPS = ['none', 'state', 'host', 'directory', 'role', 'agent'] as const;
export type GroupBy = (typeof GROUPS)[number];
export const SORTS = ['name', 'state', 'waiting', 'active', 'context', 'cost'] as const;
export type SortBy = (typeof SORTS)[number];

/** The order in which states stand: those that want a person first. */
export const STATES: readonly Word[] = ['waiting_permission', 'waiting_input', 'unknown', 'busy', 'starting', 'idle', 'exited'];

export type Wish = { group: GroupBy; sort: SortBy; words: string; state: string };

export type Group = { title: string; sessions: Session[] };

/** Sessions as wished. By name they do not move when their states change. */
export function arrange(sessions: Iterable<Session>, wish: Wish): Group[] {
  const words = wish.words.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const groups = new Map<string, Session[]>();
  for (const session of sessions) {
    if (wish.state !== '' && session.claim.state !== wish.state) continue;
    if (!words.every((word) => textOf(session).includes(word))) continue;
    const title = titleOf(session, wish.group);
    const group = groups.get(title);
    if (group === undefined) groups.set(title, [session]);
    else group.push(session);
  }
  const order = ORDERS[wish.sort];
  const byName = (a: Session, b: Session) => compare(a.name, b.name) || compare(a.id, b.id);
  const sorted = [...groups].map(([title, members]) => ({
    title,
    sessions: members.sort((a, b) => ended(a) - ended(b) || order(a, b) || byName(a, b)),
  }));
  const place = (title: string) => (wish.group === 'state' ? STATES.indexOf(title as Word) : 0);
  return sorted.sort((a, b) => place(a.title) - place(b.title) || compare(a.title, b.title));
}

const ended = (session: Session): number => (session.claim.state === 'exited' ? 1 : 0);

/** A figure that is not known stands last. */
const figure = (session: Session, name: string, unknown: number): number => session.metrics[name] ?? unknown;

const ORDERS: Record<SortBy, (a: Session, b: Session) => number> = {
  name: () => 0,
  state: (a, b) => STATES.indexOf(a.claim.state) - STATES.indexOf(b.claim.state),
  waiting: (a, b) => a.claim.since - b.claim.since,
  active: (a, b) => b.active - a.active,
  context: (a, b) => figure(a, 'context_left_percent', 101) - figure(b, 'context_left_percent', 101),
  cost: (a, b) => figure(b, 'cost_usd', -1) - figure(a, 'cost_usd', -1),
};

function titleOf(session: Session, by: GroupBy): string {
  switch (by) {
    case 'none':
      return '';
    case 'state':
      return session.claim.state;
    case 'host':
      return session.host_name;
    case 'directory':
      return session.context.repo ?? session.context.dir;
    case 'role':
      return session.role ?? '';
    case 'agent':
      return session.agent;
  }
}

type Texts = { of: Session; text: string };
const texts = new Map<SessionId, Texts>();

/** What the filter looks at; made anew only when what it is made of has changed. */
function textOf(session: Session): string {
  const kept = texts.get(session.id);
  if (kept !== undefined && sameText(kept.of, session)) return kept.text;
  const { name, agent, claim, context, host_name, role, title } = session;
  const parts = [name, agent, claim.state.replaceAll('_', ' '), context.dir, context.branch ?? '', host_name, role ?? '', title];
  const text = parts.join('\n').toLowerCase();
  if (texts.size > 5000) texts.clear();
  texts.set(session.id, { of: session, text });
  return text;
}

function sameText(a: Session, b: Session): boolean {
  return a.claim.state === b.claim.state && a.title === b.title && a.name === b.name && a.context.hash === b.context.hash && a.context.dir === b.context.dir;
}

/** How many are in each state, of those that there are. */
export function tally(sessions: Iterable<Session>): { state: Word; count: number }[] {
  const counts = new Map<Word, number>();
  for (const { claim } of sessions) counts.set(claim.state, (counts.get(claim.state) ?? 0) + 1);
  return STATES.flatMap((state) => {
    const count = counts.get(state) ?? 0;
    return count === 0 ? [] : [{ state, count }];
  });
}

/** What the fleet draws, row by row: headings, and as many tiles as stand side by side. */
export type Row = { key: string; heading: Group } | { key: string; tiles: Session[] };

export function rowsOf(groups: readonly Group[], columns: number): Row[] {
  const rows: Row[] = [];
  for (const group of groups) {
    if (group.title !== '' || groups.length > 1) rows.push({ key: `h:${group.title}`, heading: group });
    for (let at = 0; at < group.sessions.length; at += columns) {
      rows.push({ key: `t:${group.title}:${at}`, tiles: group.sessions.slice(at, at + columns) });
    }
  }
  return rows;
}
