/** Shortest and longest time between two blocks that is believed, ms. */
const MIN_MS = 10;
const MAX_MS = 120_000;
const ALPHA = 0.1;
const MIN_SAMPLES = 3;

/**
 * Block time as an exponential moving average of the pace of the trusted head.
 * Source of the constants: eRPC's estimator (alpha 0.1, at least 3 samples, accepted from 10 ms to 120 s).
 */
export class BlockTime {
  readonly #fixedMs: number;
  #averageMs = 0;
  #samples = 0;

  /** @param fixedMs configured block time; 0 = measure it */
  constructor(fixedMs: number) {
    this.#fixedMs = fixedMs;
  }

  /**
   * The head moved up.
   * @param blocks how many, at least 1
   * @param elapsedMs since it last moved, on our clock
   * @param chainMs the same by the blocks' timestamps; a chain that catches up goes much faster than this, and is not sampled
   */
  onAdvance(blocks: number, elapsedMs: number, chainMs: number): void {
    const sampleMs = elapsedMs / blocks;
    if (!(sampleMs >= MIN_MS && sampleMs <= MAX_MS)) return;
    if (chainMs / blocks > 2 * sampleMs + 1000) return;
    this.#averageMs = this.#samples === 0 ? sampleMs : this.#averageMs + ALPHA * (sampleMs - this.#averageMs);
    this.#samples++;
  }

  /** Block time in ms; 0 = not known yet. */
  get ms(): number {
    if (this.#fixedMs > 0) return this.#fixedMs;
    return this.#samples >= MIN_SAMPLES ? this.#averageMs : 0;
  }
}
