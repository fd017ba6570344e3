// Owns the page's one copy of what the server said, and the ticking clock beside it. Must not: hold rules;
// `state.ts` says how a message changes what is known.
import { flushSync } from 'svelte';
import { inbox } from './inbox.ts';
import { Feed } from './socket.ts';
import { reduceAll, START, type Input, type State } from './state.ts';
import type { SessionId } from './wire.gen.ts';

/** So many times as long as it took to draw, messages are gathered before the page is drawn again. */
const REST = 5;
/** Never longer than this; and so long when nobody looks. */
const LONGEST_MS = 500;

class Live {
  #state = $state.raw<State>(START);
  #now = $state(Date.now());
  #waiting: Input[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame = 0;
  #restUntil = 0;
  readonly feed: Feed;
  /** What wants a person's eye. */
  readonly box = $derived(inbox(this.#state));

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
    this.#take();
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

  /** Draws after the rest, with the next frame. A hidden page gets no frames; its title and its notices still change. */
  #gather(input: Input): void {
    this.#waiting.push(input);
    if (this.#timer !== undefined) return;
    const rest = Math.min(LONGEST_MS, this.#restUntil - performance.now());
    const flush = () => this.#draw();
    this.#timer = setTimeout(() => {
      this.#frame = requestAnimationFrame(flush);
      this.#timer = setTimeout(flush, LONGEST_MS);
    }, rest);
  }

  #draw(): void {
    const started = performance.now();
    flushSync(() => this.#take());
    const ended = performance.now();
    this.#restUntil = ended + (ended - started) * REST;
  }

  #take(): void {
    clearTimeout(this.#timer);
    cancelAnimationFrame(this.#frame);
    this.#timer = undefined;
    const inputs = this.#waiting;
    this.#waiting = [];
    this.#state = reduceAll(this.#state, inputs);
    this.#now = Date.now();
  }
}

export const live = new Live();
