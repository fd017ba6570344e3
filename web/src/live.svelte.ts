// Owns the page's one copy of what the server said, and the ticking clock beside it. Must not: hold rules;
// `state.ts` says how a message changes what is known.
import { Feed } from './socket.ts';
import { reduce, START, type Input, type State } from './state.ts';
import type { SessionId } from './wire.gen.ts';

/** Messages that arrive within this time are drawn together. */
const GATHER_MS = 40;

class Live {
  #state = $state.raw<State>(START);
  #now = $state(Date.now());
  #waiting: Input[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly feed: Feed;

  constructor() {
    this.feed = new Feed({
      connecting: () => this.#connecting(),
      open: () => this.apply({ type: 'connection', connection: { phase: 'open' } }),
      lost: (attempt, retryAt) => this.apply({ type: 'connection', connection: { phase: 'lost', attempt, retryAt } }),
      login: () => this.apply({ type: 'connection', connection: { phase: 'login' } }),
      message: (message) => this.#gather({ type: 'server', message, at: Date.now() }),
    });
  }

  start(): void {
    this.feed.start();
    setInterval(() => (this.#now = Date.now()), 1000);
  }

  get state(): State {
    return this.#state;
  }

  /** The server's clock, once a second. */
  get now(): number {
    return this.#now + this.#state.skew;
  }

  /** Changes what is known at once, after what still waits. */
  apply(input: Input): void {
    this.#waiting.push(input);
    this.#flush();
  }

  takeKeyboard(session: SessionId): void {
    if (this.feed.send({ type: 'take_keyboard', session })) this.apply({ type: 'keyboard_asked', session });
  }

  releaseKeyboard(): void {
    const { keyboard } = this.#state;
    if (keyboard.stage === 'none') return;
    this.feed.send({ type: 'release_keyboard', session: keyboard.session });
    this.apply({ type: 'keyboard_released' });
  }

  /** A page that waits for a login or lost the server keeps saying so while it tries again. */
  #connecting(): void {
    const { phase } = this.#state.connection;
    if (phase !== 'login' && phase !== 'lost') this.apply({ type: 'connection', connection: { phase: 'connecting' } });
  }

  #gather(input: Input): void {
    this.#waiting.push(input);
    this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const inputs = this.#waiting;
    this.#waiting = [];
    this.#state = inputs.reduce(reduce, this.#state);
    this.#now = Date.now();
  }
}

export const live = new Live();
