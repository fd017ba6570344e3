// Owns what a paste may contain before it is typed into an agent. Must not: know about brackets; the
// terminal adds them when the program asked for it.
import { HIDDEN } from './hidden.gen.ts';

const UNSEEN = new RegExp(`[${HIDDEN}]`, 'gu');

/**
 * CRLF and CR become LF; ESC, all other C0 controls except tab and LF, DEL, C1 controls and what is
 * hidden are removed. Invariant: `\x1b[201~` cannot survive, so a paste cannot end itself.
 */
export function cleanPaste(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    // eslint-disable-next-line no-control-regex
    .replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '')
    .replace(UNSEEN, '');
}
