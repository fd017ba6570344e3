// Owns the page's one copy of what the server said, and the ticking clock beside it. Must not: hold rules;
// `state.ts` says how a message changes what is known.
import { flushSync } from 'svelte';
import { inbox } from './inbox.ts';
import { Feed } from './socket.ts';
import { reduceAll, START, type Input, type State } from './state.ts';
import type { SessionId, ToViewer } from './wire.gen.ts';

/** So many times as long as it took to draw, messages are gathered before the page is drawn again. */
const REST = 5;
/** Never longer than this; and so long when nobody looks. */
const LONGEST_MS = 500;

class Live {
  #state = $state.raw<State>(START);
  #now = $state(Date.now());
  #waiting: Input[] = [];
  readonly feed: Feed;
  /** What wants a person's eye. */
  readonly box = $derived(inbox(this.#state));

  constructor() {
    this.feed = new Feed({
      connecting: () => this.#connecting(),
      open: () => this.apply({ type: 'connection', connection: { phase: 'open' } }),
      lost: (attempt, retryAt) => this.apply({ type: 'connection', connection: { phase: 'lost', attempt, retryAt } }),
      login: () => this.apply({ type: 'connection', connection: { phase: 'login' } }),
      heard: (messages, passed) => this.#hear(messages, passed),
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

  /** Drawn with the next frame. A hidden page gets no frames; its title and its notices still change. */
  #hear(messages: ToViewer[], passed: readonly [SessionId, number][]): void {
    const at = Date.now();
    this.#waiting.push({ type: 'passed', passed, at }, ...messages.map((message): Input => ({ type: 'server', message, at })));
    const draw = () => {
      cancelAnimationFrame(frame);
      clearTimeout(timer);
      this.#draw();
    };
    const frame = requestAnimationFrame(draw);
    const timer = setTimeout(draw, LONGEST_MS);
  }

  /** Rests after it, so that there is time for a person's keys and for the browser to paint. */
  #draw(): void {
    const started = performance.now();
    flushSync(() => this.#take());
    const rest = Math.min(LONGEST_MS, (performance.now() - started) * REST);
    setTimeout(() => this.feed.more(), rest);
  }

  #take(): void {
    const inputs = this.#waiting;
    this.#waiting = [];
    this.#state = reduceAll(this.#state, inputs);
    this.#now = Date.now();
  }
}

export const live = new Live();
