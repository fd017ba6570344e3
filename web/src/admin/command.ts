// Owns how a command stands in one field: words apart by blanks, quoted where they hold some. Must not: be a shell.

const WORD = /"((?:[^"\\]|\\.)*)"|'([^']*)'|(\S+)/g;

export const words = (text: string): string[] =>
  [...text.matchAll(WORD)].map(([, double, single, bare]) => double?.replace(/\\(.)/g, '$1') ?? single ?? bare ?? '');

export const sentence = (command: readonly string[]): string =>
  command.map((word) => (/^[^\s"'\\]+$/.test(word) ? word : `"${word.replace(/["\\]/g, '\\$&')}"`)).join(' ');
