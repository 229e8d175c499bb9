import type { LabelSet } from './metricTable.ts';

export type Labels = Readonly<Record<string, string>>;

/** One line of a scrape. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** Where it differs from the metric's own name: a histogram's parts. */
  readonly metricName?: string;
}

/** Counters over one closed set of label values: counting is one array write; label objects are built once. */
export class CounterSet<N extends string> {
  readonly #set: LabelSet<N>;
  readonly #counts: Float64Array;
  readonly #labels: readonly Labels[];

  constructor(common: Labels, label: string, set: LabelSet<N>) {
    this.#set = set;
    this.#counts = new Float64Array(set.names.length);
    this.#labels = set.names.map((name) => ({ ...common, [label]: name }));
  }

  /** A name outside the set is not counted; types keep that from happening. */
  add(name: N): void {
    const index = this.#set.indexOf.get(name);
    if (index !== undefined) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  /** Sets one name to 1 and the others to 0, for a state shown as gauges. */
  choose(name: N): void {
    this.#counts.fill(0);
    this.add(name);
  }

  emit(out: Sample[]): void {
    for (const [i, labels] of this.#labels.entries()) out.push({ labels, value: this.#counts[i] ?? 0 });
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
export class LogHistogram {
  readonly #scale: Scale;
  readonly #counts: Float64Array;
  readonly #buckets: readonly Labels[];
  readonly #labels: Labels;
  #sum = 0;

  constructor(labels: Labels, scale: Scale) {
    this.#scale = scale;
    this.#labels = labels;
    this.#counts = new Float64Array(scale.bounds + 1);
    const bounds = Array.from({ length: scale.bounds }, (_, i) => String(Number((scale.first * scale.toShown * 2 ** i).toPrecision(12))));
    this.#buckets = [...bounds, '+Inf'].map((le) => ({ ...labels, le }));
  }

  /** @param value in the recorded unit; what is below 0 or no number counts as 0 */
  observe(value: number): void {
    const clean = Number.isFinite(value) ? Math.max(value, 0) : 0;
    const index = Math.min(bucketOf(clean / this.#scale.first), this.#scale.bounds);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#sum += clean;
  }

  /** @param name of the metric */
  emit(name: string, out: Sample[]): void {
    let total = 0;
    for (const [i, labels] of this.#buckets.entries()) {
      total += this.#counts[i] ?? 0;
      out.push({ labels, value: total, metricName: `${name}_bucket` });
    }
    out.push({ labels: this.#labels, value: this.#sum * this.#scale.toShown, metricName: `${name}_sum` });
    out.push({ labels: this.#labels, value: total, metricName: `${name}_count` });
  }
}

/** Smallest i with ratio <= 2^i. */
function bucketOf(ratio: number): number {
  return ratio <= 1 ? 0 : 32 - Math.clz32(Math.min(Math.ceil(ratio), 0x7fffffff) - 1);
}
