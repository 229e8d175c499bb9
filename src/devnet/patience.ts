/** What to do about a node whose block differs from the log's. */
export type Verdict = 'retry' | 'reset' | 'giveUp';

/** How a node's block differs: by the transactions that crossed it, or, with the same ones, by state or settings. */
export type Difference = 'transactions' | 'state';

const MAX_TRIES: Readonly<Record<Difference, number>> = { transactions: 50, state: 2 };
const MAX_REPAIRS = 100;

/**
 * Decides how long a node that diverges is put right by a rollback. A foreign transaction or a block made behind our back
 * is over after a few; changed state or settings (a cheat call) are not, and need a replay from genesis.
 */
export class Patience {
  #block = 0;
  #tries: Record<Difference, number> = { transactions: 0, state: 0 };
  #repairs = 0;
  #resetFor = 0;

  /** Block `number` came out different. `giveUp`: so it did after a replay from genesis. */
  differed(number: number, by: Difference): Verdict {
    if (number !== this.#block) this.#tries = { transactions: 0, state: 0 };
    this.#block = number;
    this.#tries[by] += 1;
    if (this.#tries[by] < MAX_TRIES[by]) return 'retry';
    this.#tries[by] = 0;
    if (this.#resetFor === number) return 'giveUp';
    this.#resetFor = number;
    return 'reset';
  }

  /** A rollback was needed. Many with few good blocks between them call for a reset. */
  repaired(): Verdict {
    this.#repairs += 1;
    if (this.#repairs < MAX_REPAIRS) return 'retry';
    this.#repairs = 0;
    return 'reset';
  }

  /** A block came out as it should. */
  matched(number: number): void {
    if (this.#repairs > 0) this.#repairs -= 1;
    if (number >= this.#resetFor) this.#resetFor = 0;
  }
}
