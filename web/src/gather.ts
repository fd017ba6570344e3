// Owns what was heard and not yet taken: of several messages about one session or prompt, only the last matters.
// Must not: understand them further than that.
import type { SessionId } from './wire.gen.ts';

/** What a message is about, read from its beginning; one that begins otherwise is kept whatever follows. */
const ABOUT = /^\{"type":"(?:session","session":\{"id":"([^"\\]+)"|prompt","prompt":\{"id":(\d+))/;

export type Heard = {
  /** Messages in their order. */
  texts: string[];
  /** How many messages about a session were passed over. */
  passed: [SessionId, number][];
};

export class Gathered {
  #texts: (string | null)[] = [];
  readonly #places = new Map<string, number>();
  readonly #passed = new Map<SessionId, number>();

  get isEmpty(): boolean {
    return this.#texts.length === 0;
  }

  add(text: string): void {
    const about = ABOUT.exec(text);
    if (about !== null) {
      const [, session, prompt] = about;
      const key = session ?? `#${prompt ?? ''}`;
      const place = this.#places.get(key);
      if (place !== undefined) {
        this.#texts[place] = null;
        if (session !== undefined) this.#passed.set(session, (this.#passed.get(session) ?? 0) + 1);
      }
      this.#places.set(key, this.#texts.length);
    }
    this.#texts.push(text);
  }

  take(): Heard {
    const heard = { texts: this.#texts.filter((text) => text !== null), passed: [...this.#passed] };
    this.#texts = [];
    this.#places.clear();
    this.#passed.clear();
    return heard;
  }
}
