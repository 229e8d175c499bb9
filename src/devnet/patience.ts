/** What to do about a node whose blocks differ from the log. */
export type Verdict = 'retry' | 'reset' | 'giveUp';

const MAX_TRIES = 3;
const MAX_REPAIRS = 20;

/**
 * Decides how long a node that diverges is put right by a rollback. A foreign transaction or a block made behind our back
 * is over after one rollback; changed state or settings (a cheat call) are not, and need a replay from genesis.
 */
export class Patience {
  #block = 0;
  #tries = 0;
  #repairs = 0;
  #resetFor = 0;

  /** Block `number` came out different. `giveUp`: so it did after a replay from genesis. */
  differed(number: number): Verdict {
    this.#tries = number === this.#block ? this.#tries + 1 : 1;
    this.#block = number;
    if (this.#tries < MAX_TRIES) return 'retry';
    this.#tries = 0;
    if (this.#resetFor === number) return 'giveUp';
    this.#resetFor = number;
    return 'reset';
  }

  /** True when block `number` came out different before. */
  trying(number: number): boolean {
    return number === this.#block && this.#tries > 0;
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
