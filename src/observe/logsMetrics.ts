import { LABELS } from './metricTable.ts';
import type { LogsCall, LogsSource } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { Cell, CounterSet } from './series.ts';
import type { Labels } from './series.ts';

/** Counts of what log queries of one chain take. */
export class LogsMetrics {
  readonly calls: CounterSet<LogsCall>;
  /** Queries that a node refused for their size. */
  readonly refused = new Cell();
  /** Answers that could not be whole. */
  readonly doubts = new Cell();
  readonly storedBytes = new Cell();
  readonly filters = new Cell();
  readonly filtersDropped: CounterSet<'idle' | 'overflow' | 'loss'>;
  readonly #blocks: CounterSet<LogsSource>;
  readonly #labels: Labels;

  constructor(labels: Labels) {
    this.#labels = labels;
    this.calls = new CounterSet(labels, 'kind', LABELS.logsCalls);
    this.filtersDropped = new CounterSet(labels, 'reason', LABELS.filterDrops);
    this.#blocks = new CounterSet(labels, 'source', LABELS.logsSources);
  }

  /** So many blocks of a query were answered that way. */
  onBlocks(source: LogsSource, blocks: number): void {
    if (blocks > 0) this.#blocks.add(source, blocks);
  }

  emit(page: Sheet): void {
    page.counters('logsCalls', this.calls);
    page.counters('logsBlocks', this.#blocks);
    page.count('logsRefused', this.#labels, this.refused);
    page.count('logsDoubts', this.#labels, this.doubts);
    page.level('filters', this.#labels, this.filters);
    page.counters('filtersDropped', this.filtersDropped);
    page.level('logsStoredBytes', this.#labels, this.storedBytes);
  }
}
