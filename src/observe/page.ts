import type { Metric, Registry } from 'prom-client';
import { METRICS } from './metricTable.ts';
import type { MetricKey } from './metricTable.ts';
import type { Cell, CounterSet, Labels, LogHistogram, Sample, SparseCounters } from './series.ts';

type KeyOf<Type extends string> = { [Key in MetricKey]: (typeof METRICS)[Key]['type'] extends Type ? Key : never }[MetricKey];
export type GaugeKey = KeyOf<'gauge'>;
export type CounterKey = KeyOf<'counter'>;
export type HistogramKey = KeyOf<'histogram'>;

/**
 * What counts are shown on. Counters and histograms, and gauges that add up over processes (`level`), are handed over as they
 * are kept, so that the same walk serves to tell them to another process; all other gauges as values.
 */
export interface Sheet {
  /** A gauge that one process alone knows. */
  value(key: GaugeKey, labels: Labels, value: number): void;
  /** A gauge that is 1 for one name of a set; one process alone knows it. */
  states(key: GaugeKey, set: CounterSet<string>): void;
  /** A gauge that is the sum over all processes. */
  level(key: GaugeKey, labels: Labels, cell: Cell): void;
  count(key: CounterKey, labels: Labels, cell: Cell): void;
  counters(key: CounterKey, set: CounterSet<string> | SparseCounters): void;
  histogram(key: HistogramKey, histogram: LogHistogram): void;
}

/** What one scrape shows, gathered from the counters at that moment. */
export class Page implements Sheet {
  readonly #samples = new Map<MetricKey, Sample[]>();

  value(key: GaugeKey, labels: Labels, value: number): void {
    this.of(key).push({ labels, value });
  }

  states(key: GaugeKey, set: CounterSet<string>): void {
    set.emit(this.of(key));
  }

  level(key: GaugeKey, labels: Labels, { value }: Cell): void {
    this.of(key).push({ labels, value });
  }

  count(key: CounterKey, labels: Labels, { value }: Cell): void {
    this.of(key).push({ labels, value });
  }

  counters(key: CounterKey, set: CounterSet<string> | SparseCounters): void {
    set.emit(this.of(key));
  }

  histogram(key: HistogramKey, histogram: LogHistogram): void {
    histogram.emit(METRICS[key].name, this.of(key));
  }

  of(key: MetricKey): Sample[] {
    let samples = this.#samples.get(key);
    if (samples === undefined) {
      samples = [];
      this.#samples.set(key, samples);
    }
    return samples;
  }
}

/**
 * Registers every row of the table. prom-client renders them; the values come from `page`, because its own counters
 * cost a label lookup per count.
 */
export function registerTable(registry: Registry, page: () => Page): void {
  for (const key of Object.keys(METRICS) as MetricKey[]) {
    const { name, help, type } = METRICS[key];
    const metric = { name, help, type, aggregator: 'sum', get: async () => ({ name, help, type, aggregator: 'sum', values: page().of(key) }) };
    registry.registerMetric(metric as unknown as Metric);
  }
}
