// Owns looking for words in a recording. What programs draw is not read as a screen: the text is what they put out,
// without what moves cursors and sets colours. Must not: play it.
import type { Piece } from './track.ts';

export type Hit = { t: number; text: string };

/** Hits beyond these are not told. */
export const HITS = 500;
/** Hits closer together are one: the same line is drawn again and again. */
const APART_S = 0.5;
const AROUND = 40;

// eslint-disable-next-line no-control-regex
const CONTROL = /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]P_^X][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]|[\u0000-\u0008\u000b-\u001f\u007f]/g;
/** Moves to another place on the screen: words do not go on across it. */
// eslint-disable-next-line no-control-regex
const MOVE = /\x1b\[[0-9;]*[ABEFGHfdr]|\x1b\[[0-3]?J/g;

export const plain = (output: string): string => output.replace(MOVE, '\n').replace(CONTROL, '');

/** Where words stand, in the order of time; letters' case does not matter. */
export function find(pieces: readonly Piece[], words: string): Hit[] {
  const wanted = words.trim().toLowerCase();
  if (wanted === '') return [];
  // Words may be cut by pieces: all is one text, and each piece knows where it begins in it.
  const begins: number[] = [];
  let text = '';
  for (const piece of pieces) {
    begins.push(text.length);
    if (piece.code === 'o') text += plain(piece.text);
  }
  const lower = text.toLowerCase();
  const hits: Hit[] = [];
  let piece = 0;
  for (let at = lower.indexOf(wanted); at >= 0 && hits.length < HITS; at = lower.indexOf(wanted, at + wanted.length)) {
    while (piece + 1 < begins.length && (begins[piece + 1] ?? 0) <= at) piece += 1;
    const t = pieces[piece]?.t ?? 0;
    const last = hits.at(-1);
    if (last === undefined || t - last.t > APART_S) hits.push({ t, text: line(text, at, wanted.length) });
  }
  return hits;
}

function line(text: string, at: number, length: number): string {
  const from = Math.max(text.lastIndexOf('\n', at) + 1, at - AROUND);
  const end = text.indexOf('\n', at + length);
  return text.slice(from, Math.min(end < 0 ? text.length : end, at + length + AROUND)).trim();
}
