import type { LabelSet } from './metricTable.ts';

export type Labels = Readonly<Record<string, string>>;

/** One line of a scrape. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it differs from the metric's own name: a histogram's parts. */
  readonly metricName?: string;
}

/** Numbers in a fixed order that another process of the same program can hold too: each adds what the other tells it. */
export interface Tally {
  readonly values: Float64Array;
}

/** One counter, or with `set` one level: a number that falls too, such as connections open. */
export class Cell implements Tally {
  readonly values = new Float64Array(1);

  get value(): number {
    return this.values[0] ?? 0;
  }

  add(amount = 1): void {
    this.values[0] = this.value + amount;
  }

  set(value: number): void {
    this.values[0] = value;
  }
}

/** Counters over one closed set of label values: counting is one array write; label objects are built once. */
export class CounterSet<N extends string> implements Tally {
  readonly values: Float64Array;
  readonly #set: LabelSet<N>;
  readonly #labels: readonly Labels[];

  constructor(common: Labels, label: string, set: LabelSet<N>) {
    this.#set = set;
    this.values = new Float64Array(set.names.length);
    this.#labels = set.names.map((name) => ({ ...common, [label]: name }));
  }

  /** A name outside the set is not counted; types keep that from happening. */
  add(name: N, amount = 1): void {
    const index = this.#set.indexOf.get(name);
    if (index !== undefined) this.values[index] = (this.values[index] ?? 0) + amount;
  }

  /** Sets one name to 1 and the others to 0, for a state shown as gauges. */
  choose(name: N): void {
    this.values.fill(0);
    this.add(name);
  }

  emit(out: Sample[]): void {
    for (const [i, labels] of this.#labels.entries()) out.push({ labels, value: this.values[i] ?? 0 });
  }
}

/** Counters over a list of names that show from their first count on, with `other` for what is not in the list. */
export class SparseCounters implements Tally {
  readonly values: Float64Array;
  readonly #names: readonly string[];
  readonly #common: Labels;
  readonly #label: string;

  constructor(common: Labels, label: string, names: readonly string[]) {
    this.values = new Float64Array(names.length + 1);
    this.#names = names;
    this.#common = common;
    this.#label = label;
  }

  add(index: number): void {
    const other = this.#names.length;
    const slot = index >= 0 && index < other ? index : other;
    this.values[slot] = (this.values[slot] ?? 0) + 1;
  }

  emit(out: Sample[]): void {
    for (const [i, value] of this.values.entries()) {
      if (value > 0) out.push({ labels: { ...this.#common, [this.#label]: this.#names[i] ?? 'other' }, value });
    }
  }
}

/** A histogram's shape: bounds first, 2·first, 4·first …, in the unit that is recorded. */
export interface Scale {
  readonly first: number;
  readonly bounds: number;
  /** Recorded unit to the unit that is shown: 0.001 for milliseconds shown in seconds. */
  readonly toShown: number;
}

/** 0.25 ms to 32.8 s. */
export const DURATION_SCALE: Scale = { first: 0.25, bounds: 18, toShown: 0.001 };
/** 1 to 4096. */
export const COUNT_SCALE: Scale = { first: 1, bounds: 13, toShown: 1 };

/** A histogram with bounds that double: its bucket is found by counting bits. */
export class LogHistogram implements Tally {
  /** The count of each bucket, then the sum of all values. */
  readonly values: Float64Array;
  readonly #scale: Scale;
  readonly #buckets: readonly Labels[];
  readonly #labels: Labels;

  constructor(labels: Labels, scale: Scale) {
    this.#scale = scale;
    this.#labels = labels;
    this.values = new Float64Array(scale.bounds + 2);
    const bounds = Array.from({ length: scale.bounds }, (_, i) => String(Number((scale.first * scale.toShown * 2 ** i).toPrecision(12))));
    this.#buckets = [...bounds, '+Inf'].map((le) => ({ ...labels, le }));
  }

  /** @param value in the recorded unit; what is below 0 or no number counts as 0 */
  observe(value: number): void {
    const clean = Number.isFinite(value) ? Math.max(value, 0) : 0;
    const index = Math.min(bucketOf(clean / this.#scale.first), this.#scale.bounds);
    this.values[index] = (this.values[index] ?? 0) + 1;
    const sum = this.#scale.bounds + 1;
    this.values[sum] = (this.values[sum] ?? 0) + clean;
  }

  /** @param name of the metric */
  emit(name: string, out: Sample[]): void {
    let total = 0;
    for (const [i, labels] of this.#buckets.entries()) {
      total += this.values[i] ?? 0;
      out.push({ labels, value: total, metricName: `${name}_bucket` });
    }
    out.push({ labels: this.#labels, value: (this.values[this.#scale.bounds + 1] ?? 0) * this.#scale.toShown, metricName: `${name}_sum` });
    out.push({ labels: this.#labels, value: total, metricName: `${name}_count` });
  }
}

/** Smallest i with ratio <= 2^i. */
function bucketOf(ratio: number): number {
  return ratio <= 1 ? 0 : 32 - Math.clz32(Math.min(Math.ceil(ratio), 0x7fffffff) - 1);
}
