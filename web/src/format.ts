// Owns how figures, ages and places are written. Must not: read the clock.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** An age or a duration in at most two units: `4 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function span(ms: number): string {
  const whole = Math.max(0, Math.floor(ms));
  if (whole < MINUTE) return `${Math.floor(whole / SECOND)} s`;
  if (whole < HOUR) return two(whole, MINUTE, 'min', SECOND, 's', whole < 10 * MINUTE);
  if (whole < DAY) return two(whole, HOUR, 'h', MINUTE, 'min', true);
  return two(whole, DAY, 'd', HOUR, 'h', true);
}

function two(ms: number, big: number, bigName: string, small: number, smallName: string, both: boolean): string {
  const rest = Math.floor((ms % big) / small);
  const first = `${Math.floor(ms / big)} ${bigName}`;
  return both && rest > 0 ? `${first} ${rest} ${smallName}` : first;
}

/** A duration with tenths below ten seconds: `0.4 s`. */
export function precise(ms: number): string {
  return ms < 10 * SECOND ? `${(Math.max(0, ms) / SECOND).toFixed(1)} s` : span(ms);
}

/** A count with a unit letter: `950`, `12.3k`, `1.2M`. */
export function count(value: number): string {
  if (value < 1000) return String(Math.round(value));
  if (value < 1_000_000) return `${trim(value / 1000)}k`;
  return `${trim(value / 1_000_000)}M`;
}

function trim(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(1).replace(/\.0$/, '');
}

/** A number of things, as people say it. */
export const counted = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;

/** Dollars: cents from one dollar on, tenths of a cent below. */
export function dollars(value: number): string {
  return `$${value.toFixed(value >= 1 || value === 0 ? 2 : 3)}`;
}

/** The end of a path that still says where: `~/src/api`, `…/team/api/web`. The full path belongs beside it. */
export function tail(path: string): string {
  const home = path.replace(/^\/(?:home|Users)\/[^/]+(?=\/|$)/, '~').replace(/^\/root(?=\/|$)/, '~');
  const parts = home.split('/').filter((part) => part !== '');
  const whole = home.startsWith('~') ? parts.join('/') : `/${parts.join('/')}`;
  return parts.length <= 3 ? whole : `…/${parts.slice(-2).join('/')}`;
}

/** A word of the wire for people: `waiting_permission` becomes `waiting permission`. */
export function words(word: string): string {
  return word.replaceAll('_', ' ');
}

/** The time of day in the reader's own way. */
export function clock(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
}

/** For the attribute `datetime`; nothing for a time that no calendar holds, whoever claims it. */
export function iso(at: number): string | undefined {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

/** Date and time in the reader's own way. */
export function moment(at: number): string {
  return new Date(at).toLocaleString();
}
