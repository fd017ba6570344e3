// Owns the one connection to the server: JSON messages both ways, terminal frames in, and coming back after
// a loss. The socket is on a thread of its own (`line.worker.ts`). Must not: keep sessions or prompts, touch the page,
// or take an address from anywhere but `location.host`.
import { decodeFrame, type Frame } from './frame.ts';
import type { FromLine, ToLine } from './line.ts';
import type { FromViewer, SessionId, ToViewer } from './wire.gen.ts';

export type SocketEvents = {
  connecting: () => void;
  open: () => void;
  /** `attempt` counts from 1; the next try is made at `retryAt` by this machine's clock. */
  lost: (attempt: number, retryAt: number) => void;
  /** The server wants a login; tried again when the page is looked at, and now and then. */
  login: () => void;
  /** What was said since `more` was asked for; `passed` counts messages about sessions that later ones made void. */
  heard: (messages: ToViewer[], passed: readonly [SessionId, number][]) => void;
};

type Stream = { session: SessionId; frame: (frame: Frame) => void };

/** First delay, doubled with each failure up to the longest. */
const FIRST_MS = 400;
const LONGEST_MS = 15_000;

/** Between half and all of the exponential delay, so that many pages do not come back at once. */
export function backoff(attempt: number, random: number): number {
  const whole = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 10));
  return Math.round(whole / 2 + (whole / 2) * random);
}

export class Feed {
  readonly #events: SocketEvents;
  readonly #streams = new Map<number, Stream>();
  #line: Worker | null = null;
  #phase: 'none' | 'opening' | 'open' = 'none';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #nextStream = 1;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  /** Connects, and from then on keeps connecting. */
  start(): void {
    this.#line = new Worker(new URL('./line.worker.ts', import.meta.url), { type: 'module' });
    this.#line.onmessage = ({ data }: MessageEvent<FromLine>) => this.#told(data);
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#hurry();
    });
    this.#connect();
  }

  /** Whether it was handed to an open connection. Nothing is kept for later: a stale key press is worse than none. */
  send(message: FromViewer): boolean {
    if (this.#phase !== 'open') return false;
    this.#say({ do: 'send', text: JSON.stringify(message) });
    return true;
  }

  /** The page is ready to hear what was said meanwhile. */
  more(): void {
    this.#say({ do: 'more' });
  }

  /** Streams a session's terminal until the returned function is called; watches again after each reconnect. */
  watch(session: SessionId, frame: (frame: Frame) => void): () => void {
    const stream = this.#nextStream++;
    this.#streams.set(stream, { session, frame });
    this.send({ type: 'watch', session, stream });
    return () => {
      this.#streams.delete(stream);
      this.send({ type: 'unwatch', stream });
    };
  }

  /** Tries at once instead of at the end of the delay. */
  retry(): void {
    this.#hurry();
  }

  #hurry(): void {
    if (this.#phase === 'none') this.#connect();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#events.connecting();
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    this.#phase = 'opening';
    this.#say({ do: 'open', url: `${scheme}//${location.host}/v1/feed` });
  }

  #say(message: ToLine): void {
    this.#line?.postMessage(message);
  }

  #told(message: FromLine): void {
    switch (message.tell) {
      case 'open':
        this.#attempt = 0;
        this.#phase = 'open';
        this.#events.open();
        for (const [stream, { session }] of this.#streams) this.send({ type: 'watch', session, stream });
        return;
      case 'closed':
        this.#phase = 'none';
        void this.#lost();
        return;
      case 'heard':
        return this.#events.heard(message.heard.texts.flatMap(parse), message.heard.passed);
      case 'frame': {
        const frame = decodeFrame(message.frame);
        if (frame !== null) this.#streams.get(frame.stream)?.frame(frame);
      }
    }
  }

  /** A browser does not say why an upgrade failed, so the status is asked for once over HTTP. */
  async #lost(): Promise<void> {
    this.#attempt += 1;
    const delay = backoff(this.#attempt, Math.random());
    this.#events.lost(this.#attempt, Date.now() + delay);
    this.#timer = setTimeout(() => this.#connect(), delay);
    let status = 0;
    try {
      status = (await fetch('/v1/status', { cache: 'no-store', redirect: 'error' })).status;
    } catch {
      // Out of reach: the timer goes on.
    }
    if (status !== 401 || this.#phase !== 'none') return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), LONGEST_MS);
    this.#events.login();
  }
}

function parse(text: string): ToViewer[] {
  try {
    return [JSON.parse(text) as ToViewer];
  } catch {
    return [];
  }
}
