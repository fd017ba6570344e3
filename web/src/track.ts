// Owns a recording as it was loaded, part by part: what was put out when, and which byte belongs to which second.
// Must not: load or play it.
import type { RecordingPart, Size } from './wire.gen.ts';

export type Piece = {
  /** Seconds since the session's start. */
  t: number;
  code: 'o' | 'r';
  text: string;
  /** Its first byte in the output. */
  at: number;
};

export type Track = {
  /** Size of the terminal before the first piece. */
  size: Size;
  /** The first byte that is here, and the one after the last. */
  from: number;
  next: number;
  /** Bytes there are up to now. */
  end: number;
  pieces: Piece[];
};

const BYTES = new TextEncoder();

/** The track with one part more; a part that does not follow begins a new track. */
export function append(track: Track | null, part: RecordingPart): Track {
  const follows = track !== null && track.next === part.from;
  const pieces = follows ? track.pieces.slice() : [];
  let at = part.from;
  let last = pieces.at(-1)?.t ?? 0;
  for (const [t, code, text] of part.events) {
    if (code !== 'o' && code !== 'r') continue;
    // A clock that was set back does not turn time around.
    last = Math.max(last, t);
    pieces.push({ t: last, code, text, at });
    // What was taken out for being secret makes bytes and text differ a little; the next part is exact again.
    if (code === 'o') at = Math.min(part.next, at + BYTES.encode(text).length);
  }
  return { size: follows ? track.size : part.size, from: follows ? track.from : part.from, next: part.next, end: part.end, pieces };
}

/** When the last thing happened that is here, in seconds. */
export const duration = (track: Track | null): number => track?.pieces.at(-1)?.t ?? 0;

/** How many pieces there are up to and with a second. */
export const upTo = (pieces: readonly Piece[], t: number): number => count(pieces, (piece) => piece.t <= t);

/** The second in which a byte was put out. */
export function secondOf(track: Track, offset: number): number {
  const index = count(track.pieces, (piece) => piece.at <= offset);
  return track.pieces[Math.max(0, index - 1)]?.t ?? 0;
}

/** How many of the first pieces hold something that the others do not. */
function count(pieces: readonly Piece[], holds: (piece: Piece) => boolean): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const piece = pieces[middle];
    if (piece !== undefined && holds(piece)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Stillness beyond this is skipped, when it is skipped, up to this long before what follows. */
export const STILL_S = 1;

/** Where the clock stands after some seconds of playing. */
export function advance(track: Track, t: number, by: number, skip: boolean): number {
  const end = duration(track);
  const now = t + by;
  if (now >= end) return end;
  if (!skip) return now;
  const index = upTo(track.pieces, now);
  const before = track.pieces[index - 1]?.t ?? 0;
  const next = track.pieces[index]?.t ?? end;
  return now - before > STILL_S && next - now > STILL_S ? next - STILL_S / 2 : now;
}
