import type { Metric, Registry } from 'prom-client';
import { METRICS } from './metricTable.ts';
import type { MetricKey } from './metricTable.ts';
import type { CounterSet, Labels, LogHistogram, Sample } from './series.ts';

/** What one scrape shows, gathered from the counters at that moment. */
export class Page {
  readonly #samples = new Map<MetricKey, Sample[]>();

  value(key: MetricKey, labels: Labels, value: number): void {
    this.of(key).push({ labels, value });
  }

  counters(key: MetricKey, set: CounterSet<string>): void {
    set.emit(this.of(key));
  }

  histogram(key: MetricKey, histogram: LogHistogram): void {
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
