// Owns how text from elsewhere is made safe to look at: control and direction characters become visible.
// Must not: return HTML.
import { HIDDEN } from './hidden.gen.ts';

/** C0 (with CR), DEL, C1, what is hidden, lone surrogates. */
const UNSAFE = new RegExp(`[\\u0000-\\u001f\\u007f-\\u009f${HIDDEN}]|\\p{Surrogate}`, 'gu');

function escape(char: string): string {
  const code = char.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}

/** One line: line breaks and tabs are escaped as well. */
export function show(text: string): string {
  return text.replace(UNSAFE, escape);
}

/** A body of text: line breaks stay, tabs become spaces. */
export function showLines(text: string): string {
  return text.replace(UNSAFE, (char) => (char === '\n' ? '\n' : char === '\t' ? '    ' : escape(char)));
}

/** The first line that is not blank, escaped. */
export function showFirst(text: string): string {
  return show(text.split('\n').find((line) => line.trim() !== '') ?? '');
}
