// Owns what the page and the thread with its socket say to each other. Must not: do anything.
import type { Heard } from './gather.ts';

export type ToLine =
  | { do: 'open'; url: string }
  | { do: 'send'; text: string }
  /** The page has drawn what it had. */
  | { do: 'more' };

export type FromLine = { tell: 'open' } | { tell: 'closed' } | { tell: 'heard'; heard: Heard } | { tell: 'frame'; frame: ArrayBuffer };
