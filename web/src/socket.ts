// Owns the one connection to the server: JSON messages both ways, terminal frames in, and coming back after
// a loss. Must not: keep sessions or prompts, touch the page, or take an address from anywhere but
// `location.host`.
import { decodeFrame, type Frame } from './frame.ts';
import type { FromViewer, SessionId, ToViewer } from './wire.gen.ts';

export type SocketEvents = {
  connecting: () => void;
  open: () => void;
  /** `attempt` counts from 1; the next try is made at `retryAt` by this machine's clock. */
  lost: (attempt: number, retryAt: number) => void;
  /** The server wants a login; tried again when the page is looked at, and now and then. */
  login: () => void;
  message: (message: ToViewer) => void;
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
  #socket: WebSocket | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #attempt = 0;
  #nextStream = 1;

  constructor(events: SocketEvents) {
    this.#events = events;
  }

  /** Connects, and from then on keeps connecting. */
  start(): void {
    addEventListener('online', () => this.#hurry());
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') this.#hurry();
    });
    this.#connect();
  }

  /** Whether it was handed to an open connection. Nothing is kept for later: a stale key press is worse than none. */
  send(message: FromViewer): boolean {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(message));
    return true;
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
    if (this.#socket === null) this.#connect();
  }

  #connect(): void {
    clearTimeout(this.#timer);
    this.#events.connecting();
    const scheme = location.protocol === 'https:' ? 'wss:' : 'ws:';
    const socket = new WebSocket(`${scheme}//${location.host}/v1/feed`);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempt = 0;
      this.#events.open();
      for (const [stream, { session }] of this.#streams) this.send({ type: 'watch', session, stream });
    };
    socket.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => this.#heard(data);
    socket.onclose = () => {
      this.#socket = null;
      void this.#lost();
    };
  }

  #heard(data: string | ArrayBuffer): void {
    if (typeof data !== 'string') {
      const frame = decodeFrame(data);
      if (frame !== null) this.#streams.get(frame.stream)?.frame(frame);
      return;
    }
    let message: ToViewer;
    try {
      message = JSON.parse(data) as ToViewer;
    } catch {
      return;
    }
    this.#events.message(message);
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
    if (status !== 401 || this.#socket !== null) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#connect(), LONGEST_MS);
    this.#events.login();
  }
}
