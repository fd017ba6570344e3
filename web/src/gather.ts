// Owns what was heard and not yet taken: of several messages about one session or prompt, only the last matters, and it
// takes the place of the first, so that nothing waits behind what is said more often. Must not: understand them further
// than that.
import type { SessionId } from './wire.gen.ts';

/** What a message is about, read from its beginning; one that begins otherwise is kept whatever follows. */
const ABOUT = /^\{"type":"(?:session","session":\{"id":"([^"\\]+)"|prompt","prompt":\{"id":(\d+))/;
/** What takes things away or sets them all: what is said later must not come before it. */
const TURN = /^\{"type":"(?:everything|session_gone|prompt_gone)"/;
/** Handed over at once; more would hold the page up for longer than eyes overlook. */
export const MOST = 250;

export type Heard = {
  /** Messages in their order. */
  texts: string[];
  /** How many messages about a session were passed over. */
  passed: [SessionId, number][];
};

type Entry = { key: string | null; text: string };

export class Gathered {
  #entries: Entry[] = [];
  readonly #places = new Map<string, Entry>();
  readonly #passed = new Map<SessionId, number>();

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  add(text: string): void {
    const about = ABOUT.exec(text);
    if (about === null) {
      if (TURN.test(text)) this.#places.clear();
      this.#entries.push({ key: null, text });
      return;
    }
    const [, session, prompt] = about;
    const key = session ?? `#${prompt ?? ''}`;
    const earlier = this.#places.get(key);
    if (earlier === undefined) {
      const entry = { key, text };
      this.#places.set(key, entry);
      this.#entries.push(entry);
      return;
    }
    earlier.text = text;
    if (session !== undefined) this.#passed.set(session, (this.#passed.get(session) ?? 0) + 1);
  }

  /** The next ones, at most {@link MOST}. */
  take(): Heard {
    const taken = this.#entries.splice(0, MOST);
    for (const entry of taken) {
      if (entry.key !== null && this.#places.get(entry.key) === entry) this.#places.delete(entry.key);
    }
    const heard = { texts: taken.map(({ text }) => text), passed: [...this.#passed] };
    this.#passed.clear();
    return heard;
  }
}
