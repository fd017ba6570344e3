// Owns what a person fills in for a prompt, and the prompt that it makes. Must not: send it.
import type { NewPrompt, WorktreePolicy } from './wire.gen.ts';

/** As it stands in the fields: text, where nothing is an empty one. */
export type Form = {
  text: string;
  target: string;
  agent: string;
  dir: string;
  branch: string;
  role: string;
  verify: string;
  /** Numbers of prompts, as they were typed. */
  after: string;
  priority: number;
  worktree: '' | WorktreePolicy;
  command: boolean;
};

export function formOf(asked: NewPrompt): Form {
  return {
    text: asked.text,
    target: asked.target ?? '',
    agent: asked.agent ?? '',
    dir: asked.dir ?? '',
    branch: asked.branch ?? '',
    role: asked.role ?? '',
    verify: asked.verify ?? '',
    after: asked.after.join(', '),
    priority: asked.priority,
    worktree: asked.worktree ?? '',
    command: asked.command,
  };
}

/** The prompt that the fields make of another, whose other wishes stay. */
export function promptOf(form: Form, base: NewPrompt): NewPrompt {
  const orNull = (value: string) => (value.trim() === '' ? null : value.trim());
  return {
    ...base,
    text: form.text,
    target: orNull(form.target),
    agent: orNull(form.agent),
    dir: orNull(form.dir),
    branch: orNull(form.branch),
    role: orNull(form.role),
    verify: orNull(form.verify),
    after: numbers(form.after) ?? [],
    priority: form.priority,
    worktree: form.worktree === '' ? null : form.worktree,
    command: form.command,
  };
}

/** Prompts' numbers in a text like `12, #13`; `null` when there is something else in it. */
export function numbers(text: string): number[] | null {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (!words.every((word) => /^#?\d{1,15}$/.test(word))) return null;
  return [...new Set(words.map((word) => Number(word.replace('#', ''))))];
}

const BLANK = /\{\{\s*([\p{L}\p{N}_ -]{1,40}?)\s*\}\}/gu;

/** The words that a template leaves open, each once, in their order. */
export const blanks = (text: string): string[] => [...new Set([...text.matchAll(BLANK)].map(([, word]) => word ?? ''))];

/** The text with the words filled in; what is not filled in stays as it is. */
export const fill = (text: string, words: Readonly<Record<string, string>>): string =>
  text.replace(BLANK, (whole, word: string) => (Object.hasOwn(words, word) && words[word] !== '' ? (words[word] ?? whole) : whole));
