/** Blocks that the mean goes back over, about. */
const BLOCKS = 16;
/** Blocks before the mean means anything. */
const MIN_BLOCKS = 8;
/** A node that has told of no block for so long is not late but something else, which is judged elsewhere. */
const FORGOTTEN_MS = 120_000;

/** How long after the first of its peers a node tells of blocks: the mean of the newest ones, each counting a sixteenth of what is left. */
export class ArrivalDelay {
  #meanMs = 0;
  #blocks = 0;
  #lastMs = 0;

  /** It told of a block. @param delayMs behind the first node @param maxMs most that one block counts: one pause must not stick */
  onTold(delayMs: number, maxMs: number, nowMs: number): void {
    if (nowMs - this.#lastMs > FORGOTTEN_MS) this.#blocks = 0;
    this.#lastMs = nowMs;
    this.#blocks = Math.min(BLOCKS, this.#blocks + 1);
    this.#meanMs += (Math.min(delayMs, maxMs) - this.#meanMs) / this.#blocks;
  }

  /** Mean delay in ms; 0 where too few blocks tell, or none did lately. */
  meanMs(nowMs: number): number {
    return this.#blocks < MIN_BLOCKS || nowMs - this.#lastMs > FORGOTTEN_MS ? 0 : this.#meanMs;
  }
}
