// Owns the form in which a recording is given away: asciicast, version 3. Must not: load it.
import type { Track } from './track.ts';

export function asciicast(track: Track, about: { title: string; started: number }): string {
  const term = { cols: track.size.cols, rows: track.size.rows };
  const lines = [JSON.stringify({ version: 3, term, timestamp: Math.floor(about.started / 1000), title: about.title })];
  let last = track.pieces[0]?.t ?? 0;
  for (const { t, code, text } of track.pieces) {
    // Times are since the event before.
    lines.push(JSON.stringify([Number((t - last).toFixed(6)), code, text]));
    last = t;
  }
  return `${lines.join('\n')}\n`;
}
