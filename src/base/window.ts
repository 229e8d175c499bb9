/**
 * Counts over a rolling window: a ring of fixed buckets, nothing allocated after the constructor.
 * A count leaves between `windowMs - windowMs / buckets` and `windowMs` after it came.
 */
export class CountWindow {
  readonly #counts: Float64Array;
  readonly #totals: Float64Array;
  readonly #kinds: number;
  readonly #buckets: number;
  readonly #bucketMs: number;
  #epoch = Number.NEGATIVE_INFINITY;

  /**
   * @param windowMs length of the window, above 0
   * @param kinds how many things are counted side by side, at least 1
   * @param buckets grains of the window, at least 1
   */
  constructor(windowMs: number, kinds = 1, buckets = 10) {
    if (!(windowMs > 0) || kinds < 1 || buckets < 1) throw new RangeError('CountWindow: windowMs, kinds and buckets must be above 0');
    this.#kinds = kinds;
    this.#buckets = buckets;
    this.#bucketMs = windowMs / buckets;
    this.#counts = new Float64Array(kinds * buckets);
    this.#totals = new Float64Array(kinds);
  }

  /** Counts `amount` of `kind` now. A clock that went back counts into the newest bucket. */
  add(kind: number, nowMs: number, amount = 1): void {
    this.#roll(nowMs);
    const slot = this.#slot(this.#epoch) + kind;
    this.#counts[slot] = (this.#counts[slot] ?? 0) + amount;
    this.#totals[kind] = (this.#totals[kind] ?? 0) + amount;
  }

  /** What is left of `kind` in the window. */
  total(kind: number, nowMs: number): number {
    this.#roll(nowMs);
    return this.#totals[kind] ?? 0;
  }

  clear(): void {
    this.#counts.fill(0);
    this.#totals.fill(0);
  }

  #slot(epoch: number): number {
    const bucket = epoch % this.#buckets;
    return (bucket < 0 ? bucket + this.#buckets : bucket) * this.#kinds;
  }

  #roll(nowMs: number): void {
    const epoch = Math.floor(nowMs / this.#bucketMs);
    if (epoch <= this.#epoch) return;
    if (epoch - this.#epoch >= this.#buckets) {
      this.clear();
      this.#epoch = epoch;
      return;
    }
    while (this.#epoch < epoch) {
      this.#epoch++;
      const slot = this.#slot(this.#epoch);
      for (let kind = 0; kind < this.#kinds; kind++) {
        this.#totals[kind] = (this.#totals[kind] ?? 0) - (this.#counts[slot + kind] ?? 0);
        this.#counts[slot + kind] = 0;
      }
    }
  }
}
