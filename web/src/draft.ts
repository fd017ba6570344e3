// Owns the copies made while a batch of messages is taken in: each map is copied at most once, however many
// messages change it. Must not: outlive the batch, or know what the messages mean.

/** A state whose fields are never changed once it is handed out; maps among them may be drafted. */
export class Draft<S extends object> {
  #state: S;
  #copied = false;
  readonly #own = new Set<keyof S>();

  constructor(state: S) {
    this.#state = state;
  }

  /** As it is now. The same object as at the start while nothing was changed. */
  get state(): Readonly<S> {
    return this.#state;
  }

  put(change: Partial<S>): void {
    this.#state = this.#copied ? Object.assign(this.#state, change) : { ...this.#state, ...change };
    this.#copied = true;
  }

  /** A map of the state, to be changed. */
  map<K, V>(name: KeysOfMaps<S, K, V>): Map<K, V> {
    const held = this.#state[name] as unknown as Map<K, V>;
    if (this.#own.has(name)) return held;
    const own = new Map(held);
    this.#own.add(name);
    this.put({ [name]: own } as unknown as Partial<S>);
    return own;
  }

  /** A map was replaced by one that nobody else has. */
  replace<K, V>(name: KeysOfMaps<S, K, V>, map: Map<K, V>): void {
    this.#own.add(name);
    this.put({ [name]: map } as unknown as Partial<S>);
  }
}

/** The fields that are maps of this kind. */
type KeysOfMaps<S, K, V> = { [N in keyof S]: S[N] extends ReadonlyMap<K, V> ? N : never }[keyof S];
