// Owns what happened in a session, in one order: its states and its events. Must not: ask for them.
import type { Claim, EventRow } from './wire.gen.ts';

export type Moment = { kind: 'state'; key: string; at: number; claim: Claim } | { kind: 'event'; key: string; at: number; row: EventRow };

/** Newest first; at the same instant the event stands before the state that it led to. */
export function timeline(events: readonly EventRow[], states: readonly Claim[]): Moment[] {
  const moments: Moment[] = [
    ...events.map((row): Moment => ({ kind: 'event', key: `e${row.seq}`, at: row.event.at, row })),
    ...folded(states).map((claim): Moment => ({ kind: 'state', key: `s${claim.since}.${claim.state}`, at: claim.since, claim })),
  ];
  return moments.sort((a, b) => b.at - a.at || (a.kind === b.kind ? 0 : a.kind === 'state' ? -1 : 1));
}

/** States newest first, with the present one, which the list may not hold yet. */
export function withPresent(states: readonly Claim[], present: Claim): Claim[] {
  const [newest] = states;
  if (newest !== undefined && newest.since === present.since && newest.state === present.state) return [present, ...states.slice(1)];
  if (newest !== undefined && newest.since > present.since) return [...states];
  return [present, ...states];
}

/** The same state that was told again, on better evidence, is one: as old as the first, with the evidence of the last. */
export function folded(states: readonly Claim[]): Claim[] {
  const kept: Claim[] = [];
  for (const claim of states) {
    const newer = kept.at(-1);
    if (newer?.state === claim.state && newer.background === claim.background) kept[kept.length - 1] = { ...newer, since: claim.since };
    else kept.push(claim);
  }
  return kept;
}
