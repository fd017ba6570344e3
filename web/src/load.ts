// Owns loading a recording part by part, in the background, until it is whole or long enough. Must not: play it.
import { recordingPart } from './http.ts';
import { append, type Track } from './track.ts';
import type { SessionId } from './wire.gen.ts';

/** Bytes asked for at once. */
const PART = 256 * 1024;
/** Bytes that a page keeps of one recording. */
export const MOST = 32 * 1024 * 1024;
/** So much before the byte that is looked for, when it lies beyond. */
const BEFORE = 2 * 1024 * 1024;

/** Where loading begins so that a byte is in it. */
export const beginning = (offset: number | null): number => (offset !== null && offset > MOST - BEFORE ? offset - BEFORE : 0);

/** Calls back after each part; ends when there is no more, when it is enough, or when it is told to. */
export async function load(session: SessionId, start: Track | number, stop: AbortSignal, more: (track: Track) => void): Promise<void> {
  let track = typeof start === 'number' ? null : start;
  let next = typeof start === 'number' ? start : start.next;
  const from = track?.from ?? next;
  while (!stop.aborted) {
    const part = await recordingPart(session, next, Math.min(PART, Math.max(1, MOST - (next - from))));
    if (stop.aborted) return;
    const grown = part.next > next || part.events.length > 0;
    if (track === null || grown) more((track = append(track, part)));
    next = part.next;
    if (!grown || next >= part.end || next - from >= MOST) return;
  }
}
