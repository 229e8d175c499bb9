/** Lists that are kept, those made last. */
const KEPT = 16;

/**
 * Lists of headers put together: the same two make the same list again, so that most answers allocate none, and an engine knows by the list
 * itself what it made of it before.
 */
export class HeaderLists {
  readonly #firsts: (readonly string[])[] = [];
  readonly #seconds: (readonly string[])[] = [];
  readonly #joined: (readonly string[])[] = [];
  #oldest = 0;

  /** All of `first`, then all of `second`. Both are lists that are used again, and do not change. */
  join(first: readonly string[], second: readonly string[]): readonly string[] {
    if (second.length === 0) return first;
    for (let i = 0; i < this.#joined.length; i++) {
      if (this.#firsts[i] === first && this.#seconds[i] === second) return this.#joined[i] as readonly string[];
    }
    const joined = [...first, ...second];
    this.#firsts[this.#oldest] = first;
    this.#seconds[this.#oldest] = second;
    this.#joined[this.#oldest] = joined;
    this.#oldest = (this.#oldest + 1) % KEPT;
    return joined;
  }
}
