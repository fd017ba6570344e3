// Owns the promise that a viewer's terminal never answers a program's query (A55): the agent's own terminal
// or its wrapper does that, once. Must not: know about sockets, sessions or the page.
//
// Three layers, each enough for most queries: handlers that swallow the query before xterm.js sees it; a gate
// that lets data out only around a person's key, paste, click or wheel; a filter for what only a terminal says.
import type { IDisposable, IParser } from '@xterm/xterm';

/** Queries by final byte, prefix and intermediates. Other uses of the same final byte stay with xterm.js. */
const CSI_QUERIES: readonly { final: string; prefix?: string; intermediates?: string }[] = [
  { final: 'c' }, // DA1
  { prefix: '>', final: 'c' }, // DA2
  { prefix: '=', final: 'c' }, // DA3
  { final: 'n' }, // DSR, CPR
  { prefix: '?', final: 'n' }, // DECDSR, colour scheme
  { prefix: '>', final: 'n' },
  { intermediates: '$', final: 'p' }, // DECRQM
  { prefix: '?', intermediates: '$', final: 'p' },
  { prefix: '>', final: 'q' }, // XTVERSION
  { final: 't' }, // window reports and operations
  { prefix: '?', final: 'u' }, // kitty keyboard
  { prefix: '?', final: 'm' }, // XTQMODKEYS
  { prefix: '?', final: 'S' }, // graphics attributes
  { final: 'x' }, // DECREQTPARM
  { intermediates: '*', final: 'y' }, // DECRQCRA
  { intermediates: '$', final: 'w' }, // DECRQPSR
  { intermediates: '&', final: 'u' }, // DECRQUPSS
  { intermediates: '"', final: 'v' }, // DECRQDE
];

/** DECRQSS, XTGETTCAP, and their relatives. */
const DCS_QUERIES: readonly { final: string; prefix?: string; intermediates?: string }[] = [
  { intermediates: '$', final: 'q' },
  { intermediates: '+', final: 'q' },
  { final: 'q' }, // Sixel: nothing here draws it
];

/** Colours: palette, special, dynamic, and kitty's. Setting them is passed on, asking is not. */
const OSC_COLOURS: readonly number[] = [4, 5, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 21];
/** Font, clipboard and program status are never read or written by a viewer. */
const OSC_SILENT: readonly number[] = [50, 52, 5522, 7501];

/** What xterm.js accepts as the parser of a terminal; the headless build has the same. */
export type Parser = Pick<IParser, 'registerCsiHandler' | 'registerDcsHandler' | 'registerOscHandler' | 'registerEscHandler'>;

/** Makes a terminal deaf to queries. */
export function swallowQueries(parser: Parser): IDisposable {
  const parts: IDisposable[] = [
    ...CSI_QUERIES.map((id) => parser.registerCsiHandler(id, () => true)),
    ...DCS_QUERIES.map((id) => parser.registerDcsHandler(id, () => true)),
    ...OSC_COLOURS.map((id) => parser.registerOscHandler(id, asksColour)),
    ...OSC_SILENT.map((id) => parser.registerOscHandler(id, () => true)),
    parser.registerEscHandler({ final: 'Z' }, () => true), // DECID
  ];
  return { dispose: () => parts.forEach((part) => part.dispose()) };
}

/** A list may mix questions and settings; one question is enough to drop it. */
function asksColour(data: string): boolean {
  return data.split(';').some((part) => part.trim() === '?' || part.endsWith('=?'));
}

/** What a terminal says and no key does: attributes, modes, colours, strings, and focus. */
// eslint-disable-next-line no-control-regex
const REPLY = /^\x1b(?:[\]P_^X][^]|\[[?>=][\d;:]*\$?[a-zA-Z]|\[[\d;]*[ncxty]|\[\d+;\d+\$y|\[[IO]$)/;

/** Whether data from the terminal may have come from a person's key, paste or mouse. */
export function fromPerson(data: string): boolean {
  // A mouse report looks like `CSI < … M`; nothing else with a prefix is ever typed.
  return data !== '' && !REPLY.test(data);
}

/** Events of the page after which the terminal may have something to send. */
export const GESTURES = [
  'keydown',
  'keypress',
  'keyup',
  'input',
  'compositionend',
  'paste',
  'mousedown',
  'mouseup',
  'mousemove',
  'wheel',
] as const;

/**
 * Open during the task of a gesture and the next two timer turns: xterm.js reads composed text (input
 * methods, dead keys) from its text area one turn later.
 */
export class Gate {
  #open = 0;

  get isOpen(): boolean {
    return this.#open > 0;
  }

  gesture(): void {
    this.#open += 1;
    setTimeout(() => setTimeout(() => (this.#open -= 1), 0), 0);
  }
}
