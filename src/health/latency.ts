import { build } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';

/** Longest latency told apart, ms. */
const MAX_MS = 120_000;
/** Grain of the record: hundredths of a ms. */
const UNITS_PER_MS = 100;

const empty = (): Histogram =>
  build({ bitBucketSize: 32, autoResize: false, lowestDiscernibleValue: 1, highestTrackableValue: MAX_MS * UNITS_PER_MS, numberOfSignificantValueDigits: 2, useWebAssembly: false });

/**
 * Latencies of about the last two half-windows, as High Dynamic Range histograms with two digits.
 * Recording touches one counter; the halves turn over on `tick`.
 */
export class LatencyWindow {
  #current = empty();
  #previous = empty();
  #merged = empty();
  #turnedAtMs = Number.NEGATIVE_INFINITY;
  #stale = false;
  readonly #halfMs: number;

  /** @param windowMs how long a latency counts at most */
  constructor(windowMs: number) {
    this.#halfMs = windowMs / 2;
  }

  /** Hot: one call took so long. Out-of-range values are clamped. */
  record(latencyMs: number): void {
    const units = Math.round(latencyMs * UNITS_PER_MS);
    this.#current.recordValue(units > 0 ? Math.min(units, MAX_MS * UNITS_PER_MS) : 0);
    this.#stale = true;
  }

  /** Turns the window over when it is time. */
  tick(nowMs: number): void {
    if (this.#turnedAtMs === Number.NEGATIVE_INFINITY) this.#turnedAtMs = nowMs;
    const halves = Math.floor((nowMs - this.#turnedAtMs) / this.#halfMs);
    if (halves < 1) return;
    this.#turnedAtMs += halves * this.#halfMs;
    const freed = this.#previous;
    freed.reset();
    this.#previous = this.#current;
    this.#current = freed;
    if (halves > 1) this.#previous.reset();
    this.#stale = true;
  }

  /** Latencies in the window. */
  get count(): number {
    return this.#current.totalCount + this.#previous.totalCount;
  }

  /** Latency in ms that the share `q` (0..1) of the calls did not exceed; 0 without calls. */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    if (this.#stale) {
      this.#merged.reset();
      this.#merged.add(this.#previous);
      this.#merged.add(this.#current);
      this.#stale = false;
    }
    return this.#merged.getValueAtPercentile(q * 100) / UNITS_PER_MS;
  }

  clear(): void {
    this.#current.reset();
    this.#previous.reset();
    this.#stale = true;
  }
}
