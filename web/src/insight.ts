// Owns the sums that charts and tables of the past are drawn from. Must not: ask for them or draw.
import type { Ends, Insight, Outcome, Switches, Usage } from './wire.gen.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Ranges that can be chosen, in milliseconds. */
export const RANGES = { '24h': DAY, '7d': 7 * DAY, '30d': 30 * DAY, '90d': 90 * DAY } as const;
export type Range = keyof typeof RANGES;

/** From when to when: what the address says, else the chosen range up to now. */
export function spanOf(from: number | null, to: number | null, range: Range, now: number): { from: number; to: number } {
  const end = to ?? now;
  const begin = from ?? end - RANGES[range];
  return begin < end ? { from: begin, to: end } : { from: end - RANGES[range], to: end };
}

/** How prompts ended, in the order in which they are stacked. */
export const KINDS = ['completed', 'failed', 'other'] as const;
export type Kind = (typeof KINDS)[number];

export const kindOf = (outcome: Outcome): Kind => (outcome === 'completed' ? 'completed' : outcome === 'failed' || outcome === 'timed_out' ? 'failed' : 'other');

export type Totals = { ended: number; by: Partial<Record<Outcome, number>>; completed: number };

export function totals(ends: readonly Ends[]): Totals {
  const by: Partial<Record<Outcome, number>> = {};
  for (const { outcome, count } of ends) by[outcome] = (by[outcome] ?? 0) + count;
  const ended = Object.values(by).reduce((sum, count) => sum + count, 0);
  return { ended, by, completed: by.completed ?? 0 };
}

/** A share in per cent, without digits that mean nothing; `null` of nothing. */
export const share = (part: number, whole: number): number | null => (whole === 0 ? null : Math.round((100 * part) / whole));

export type Series = { at: number[]; values: Record<Kind, number[]> };

/** Ends step by step, with the steps in which none ended; times in seconds, as the chart has them. */
export function steps({ from, to, step_ms, ends }: Pick<Insight, 'from' | 'to' | 'step_ms' | 'ends'>): Series {
  const first = ends.reduce((least, { at }) => Math.min(least, at), Infinity);
  // Steps begin where the server lets them begin, which depends on the time zone.
  const start = first === Infinity ? from : first - Math.ceil((first - from) / step_ms) * step_ms;
  const count = Math.min(2000, Math.max(1, Math.ceil((to - start) / step_ms)));
  const at = Array.from({ length: count }, (_, step) => (start + step * step_ms) / 1000);
  const values: Record<Kind, number[]> = { completed: zeros(count), failed: zeros(count), other: zeros(count) };
  for (const end of ends) {
    const step = Math.round((end.at - start) / step_ms);
    const row = values[kindOf(end.outcome)];
    if (step >= 0 && step < count) row[step] = (row[step] ?? 0) + end.count;
  }
  return { at, values };
}

const zeros = (count: number): number[] => Array<number>(count).fill(0);

export type Sum = { name: string; prompts: number; tokens_in: number; tokens_out: number; cost_usd: number };

/** Usage by agent, by project, or by day; dearest first, days in their order. */
export function sums(usage: readonly Usage[], by: 'agent' | 'project' | 'day'): Sum[] {
  const all = new Map<string, Sum>();
  for (const row of usage) {
    const name = String(row[by]);
    const sum = all.get(name) ?? { name, prompts: 0, tokens_in: 0, tokens_out: 0, cost_usd: 0 };
    sum.prompts += row.prompts;
    sum.tokens_in += row.tokens_in;
    sum.tokens_out += row.tokens_out;
    sum.cost_usd += row.cost_usd;
    all.set(name, sum);
  }
  const rows = [...all.values()];
  return by === 'day' ? rows.sort((a, b) => Number(a.name) - Number(b.name)) : rows.sort((a, b) => b.cost_usd - a.cost_usd || b.tokens_out - a.tokens_out || b.prompts - a.prompts);
}

export type Heat = { session: string; sum: number; cells: number[] };

/** Changes of context by session and hour of the day, most restless first. */
export function heat(switches: readonly Switches[], hourOf: (at: number) => number): { rows: Heat[]; most: number } {
  const rows = new Map<string, Heat>();
  for (const { session, hour, count } of switches) {
    const row = rows.get(session) ?? { session, sum: 0, cells: zeros(24) };
    const cell = hourOf(hour);
    row.cells[cell] = (row.cells[cell] ?? 0) + count;
    row.sum += count;
    rows.set(session, row);
  }
  const sorted = [...rows.values()].sort((a, b) => b.sum - a.sum || (a.session < b.session ? -1 : 1));
  return { rows: sorted, most: Math.max(1, ...sorted.flatMap(({ cells }) => cells)) };
}

/** A task that a group of errors makes: for the composer, where a person reads it before it is sent. */
export function taskOf(error: { rule: string; text: string; count: number }, sessions: readonly string[]): string {
  const where = sessions.length === 0 ? '' : ` in ${sessions.slice(0, 5).join(', ')}`;
  return `Find the cause of this error and mend it. It was seen ${error.count} ${error.count === 1 ? 'time' : 'times'}${where}:\n\n${error.text}\n`;
}
