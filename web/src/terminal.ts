// Owns one xterm.js terminal that shows a session: frames in, a person's keys out. Loaded on demand.
// Must not: answer queries, resize the agent's terminal, read or write the clipboard by itself, open links
// unasked, or know the socket.
import { Terminal } from '@xterm/xterm';
import '@xterm/xterm/css/xterm.css';
import type { Frame } from './frame.ts';
import { LINKS } from './links.ts';
import { openOnPaper } from './paper.ts';
import { cleanPaste } from './paste.ts';
import { fromPerson, Gate, GESTURES, swallowQueries } from './quiet.ts';

const FONT = 'ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace';
const LARGEST_PX = 15;
const SMALLEST_PX = 9;
/** Longest paste that is sent. */
const PASTE_MAX = 256 * 1024;
/** Bytes that may wait to be parsed; a page that is further behind asks for a new snapshot instead. */
const WAITING_MAX = 1024 * 1024;

/** Agents paint for dark terminals first; the page around it follows the system. */
const THEME = {
  background: '#14171c',
  foreground: '#dfe3e8',
  cursor: '#dfe3e8',
  cursorAccent: '#14171c',
  selectionBackground: '#3f5878',
  black: '#22272e',
  red: '#f47067',
  green: '#7cc98a',
  yellow: '#d9b25f',
  blue: '#6cb0f5',
  magenta: '#d2a0f0',
  cyan: '#61c5cf',
  white: '#c6ccd4',
  brightBlack: '#828c99',
  brightRed: '#ff938a',
  brightGreen: '#9adfa5',
  brightYellow: '#f0ce80',
  brightBlue: '#96c8ff',
  brightMagenta: '#e2bcfa',
  brightCyan: '#8bdfe6',
  brightWhite: '#f5f7fa',
};

export type Screen = {
  frame: (frame: Frame) => void;
  /** Whether keys are sent. */
  hold: (held: boolean) => void;
  focus: () => void;
  dispose: () => void;
};

export type ScreenEvents = {
  keys: (text: string) => void;
  /** The person wants to leave the terminal with the keyboard. */
  leave: () => void;
  /** Too much waits to be drawn: what follows is dropped until a new snapshot comes. */
  behind: () => void;
};

/** A terminal in `host`, which gives it its width: deaf to queries, and to keys until it is told otherwise. */
export function openTerminal(host: HTMLElement): { term: Terminal; dispose: () => void } {
  const term = new Terminal({
    allowProposedApi: false,
    cursorBlink: false,
    disableStdin: true,
    fontFamily: FONT,
    fontSize: 13,
    linkHandler: LINKS,
    // An agent that paints for a light terminal stays legible on this dark one.
    minimumContrastRatio: 4.5,
    scrollback: 2000,
    theme: THEME,
    windowOptions: {},
  });
  swallowQueries(term.parser);
  openOnPaper(term, host);
  const fit = () => scale(term, host);
  const watching = new ResizeObserver(fit);
  watching.observe(host);
  term.onResize(fit);
  return {
    term,
    dispose: () => {
      watching.disconnect();
      term.dispose();
    },
  };
}

/** Draws a live terminal. */
export function openScreen(host: HTMLElement, events: ScreenEvents): Screen {
  const { term, dispose } = openTerminal(host);
  let held = false;
  const gate = new Gate();
  const listening = new AbortController();
  const early = { capture: true, passive: true, signal: listening.signal };
  for (const name of GESTURES) {
    host.addEventListener(name, (event) => event.isTrusted && gate.gesture(), early);
  }
  term.onData((data) => {
    if (held && gate.isOpen && fromPerson(data)) events.keys(data);
  });
  term.attachCustomKeyEventHandler((event) => {
    if (event.type === 'keydown' && event.ctrlKey && event.altKey && event.key.toLowerCase() === 'r') {
      event.preventDefault();
      events.leave();
      return false;
    }
    // Unless keys are sent, they belong to the page.
    return held;
  });
  const paste = (event: ClipboardEvent) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const text = cleanPaste(event.clipboardData?.getData('text/plain') ?? '').slice(0, PASTE_MAX);
    if (held && text !== '') term.paste(text);
  };
  host.addEventListener('paste', paste, { capture: true, signal: listening.signal });
  host.addEventListener('drop', (event) => event.preventDefault(), { capture: true, signal: listening.signal });

  return {
    frame: drawing(term, events.behind),
    hold: (now) => {
      held = now;
      term.options.disableStdin = !now;
      term.options.cursorBlink = now;
    },
    focus: () => term.focus(),
    dispose: () => {
      listening.abort();
      dispose();
    },
  };
}

/**
 * Invariant: frames take effect in order. A reset is written into the stream, and sizes change when the bytes
 * before them were parsed, because writes are only queued.
 */
function drawing(term: Terminal, behind: () => void): (frame: Frame) => void {
  let waiting = 0;
  let dropping = false;
  const write = (payload: Uint8Array) => {
    waiting += payload.length;
    term.write(payload, () => (waiting -= payload.length));
  };
  return (frame) => {
    const resize = () => {
      if (frame.cols > 0 && frame.rows > 0) term.resize(frame.cols, frame.rows);
    };
    switch (frame.kind) {
      case 'snapshot':
        dropping = false;
        term.write('\x1b\\\x1bc', resize);
        write(frame.payload);
        return;
      case 'bytes':
        if (dropping) return;
        write(frame.payload);
        if (waiting <= WAITING_MAX) return;
        dropping = true;
        behind();
        return;
      case 'resize':
        term.write('', resize);
    }
  };
}

/** The largest font at which all columns fit; below the smallest the host scrolls sideways. */
function scale(term: Terminal, host: HTMLElement): void {
  const width = host.clientWidth - 20;
  if (width <= 0) return;
  const fits = Math.floor((width / term.cols / advance()) * 2) / 2;
  const size = Math.min(LARGEST_PX, Math.max(SMALLEST_PX, fits));
  if (term.options.fontSize !== size) term.options.fontSize = size;
}

let measured = 0;

/** Width of a column for each pixel of font size. */
function advance(): number {
  if (measured === 0) {
    const context = document.createElement('canvas').getContext('2d');
    if (context === null) return 0.61;
    context.font = `100px ${FONT}`;
    measured = context.measureText('W'.repeat(10)).width / 1000;
  }
  return measured;
}
