// Owns what stands on the time axis of a recording: in which state the session was, and what happened when.
// Must not: draw.
import type { Claim, EventRow, State as Word } from './wire.gen.ts';

export type Band = { from: number; to: number; state: Word };
export type Mark = { t: number; kind: string; severity: 'info' | 'warning' | 'error'; text: string };

/** Marks drawn at most; the weightiest stay. */
export const MARKS = 150;

/** States as spans of seconds since the start, oldest first; `states` are newest first, as the server tells them. */
export function bands(states: readonly Claim[], started: number, until: number): Band[] {
  const oldest = [...states].sort((a, b) => a.since - b.since);
  const seconds = (at: number) => Math.min(until, Math.max(0, (at - started) / 1000));
  const spans = oldest.map((claim, place) => ({
    from: place === 0 ? 0 : seconds(claim.since),
    to: place + 1 < oldest.length ? seconds(oldest[place + 1]?.since ?? started) : until,
    state: claim.state,
  }));
  // One state that was told twice, with another cause, is one band.
  return spans.reduce<Band[]>((all, span) => {
    const last = all.at(-1);
    if (last?.state === span.state) last.to = span.to;
    else if (span.to > span.from) all.push(span);
    return all;
  }, []);
}

const WEIGHT = { error: 0, warning: 1, info: 2 };

export function marks(rows: readonly EventRow[], started: number): Mark[] {
  const all = rows.map(({ event }) => ({
    t: Math.max(0, (event.at - started) / 1000),
    kind: event.kind,
    severity: event.severity,
    text: event.text,
  }));
  const weighty = [...all].sort((a, b) => WEIGHT[a.severity] - WEIGHT[b.severity]).slice(0, MARKS);
  return weighty.sort((a, b) => a.t - b.t);
}

/** Seconds as a clock: `1:02`, `1:00:05`. */
export function stamp(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number) => String(value).padStart(2, '0');
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}`;
}
