import { build } from 'hdr-histogram-js';
import type { Histogram } from 'hdr-histogram-js';

/** Longest latency told apart, ms. */
const MAX_MS = 120_000;
/** Grain of the record: hundredths of a ms. */
const UNITS_PER_MS = 100;
const MAX_UNITS = MAX_MS * UNITS_PER_MS;

const empty = (): Histogram =>
  build({ bitBucketSize: 32, autoResize: false, lowestDiscernibleValue: 1, highestTrackableValue: MAX_UNITS, numberOfSignificantValueDigits: 2, useWebAssembly: false });

/** Two digits take steps of 1/128 of a power of two: values of so many bits keep no more than these. */
const STEP_BITS = 7;

/** Bits that a step of a value leaves out. */
const shiftOf = (units: number): number => Math.max(0, 31 - Math.clz32(units) - STEP_BITS);

/** The step that a value lies in: grows with it, without gaps. */
const stepOf = (units: number): number => {
  const shift = shiftOf(units);
  return (shift << STEP_BITS) + (units >> shift);
};

const STEPS = stepOf(MAX_UNITS) + 1;

/** Counts by step what has been recorded lately: the histogram's own way to a counter takes logarithms and powers. */
class Pending {
  size = 0;
  private readonly counts = new Int32Array(STEPS);

  add(units: number): void {
    const step = stepOf(units);
    this.counts[step] = (this.counts[step] as number) + 1;
    this.size++;
  }

  /** Moves all into a histogram of the same steps. */
  flush(into: Histogram): void {
    if (this.size === 0) return;
    for (let step = 0; step < STEPS; step++) {
      const count = this.counts[step] as number;
      if (count > 0) into.recordValueWithCount(unitsOf(step), count);
    }
    this.clear();
  }

  clear(): void {
    this.size = 0;
    this.counts.fill(0);
  }
}

/** The least value of a step. */
function unitsOf(step: number): number {
  const shift = Math.max(0, (step >> STEP_BITS) - 1);
  return (step - (shift << STEP_BITS)) << shift;
}

/**
 * Latencies of about the last two half-windows, as High Dynamic Range histograms with two digits.
 * Recording touches one counter; the histograms are brought up to date when they are asked, and the halves turn over on `tick`.
 */
export class LatencyWindow {
  readonly #pending = new Pending();
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
    const units = latencyMs > 0 ? Math.min(latencyMs, MAX_MS) * UNITS_PER_MS : 0;
    this.#pending.add((units + 0.5) | 0);
    this.#stale = true;
  }

  /** Turns the window over when it is time. */
  tick(nowMs: number): void {
    if (this.#turnedAtMs === Number.NEGATIVE_INFINITY) this.#turnedAtMs = nowMs;
    const halves = Math.floor((nowMs - this.#turnedAtMs) / this.#halfMs);
    if (halves < 1) return;
    this.#turnedAtMs += halves * this.#halfMs;
    this.#pending.flush(this.#current);
    const freed = this.#previous;
    freed.reset();
    this.#previous = this.#current;
    this.#current = freed;
    if (halves > 1) this.#previous.reset();
    this.#stale = true;
  }

  /** Latencies in the window. */
  get count(): number {
    return this.#pending.size + this.#current.totalCount + this.#previous.totalCount;
  }

  /** Latency in ms that the share `q` (0..1) of the calls did not exceed; 0 without calls. */
  quantile(q: number): number {
    if (this.count === 0) return 0;
    if (this.#stale) {
      this.#pending.flush(this.#current);
      this.#merged.reset();
      this.#merged.add(this.#previous);
      this.#merged.add(this.#current);
      this.#stale = false;
    }
    return this.#merged.getValueAtPercentile(q * 100) / UNITS_PER_MS;
  }

  clear(): void {
    this.#pending.clear();
    this.#current.reset();
    this.#previous.reset();
    this.#stale = true;
  }
}
