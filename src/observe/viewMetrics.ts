import { LABELS } from './metricTable.ts';
import type { SendCheck, ViewEvent } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { CounterSet } from './series.ts';
import type { Labels } from './series.ts';

/** Counts of what one consistent view of a chain costs and catches. */
export class ViewMetrics {
  readonly #events: CounterSet<ViewEvent>;
  readonly #waits: CounterSet<'reached' | 'expired'>;
  readonly #sends: CounterSet<SendCheck>;

  constructor(labels: Labels) {
    this.#events = new CounterSet(labels, 'event', LABELS.viewEvents);
    this.#waits = new CounterSet(labels, 'outcome', LABELS.waitOutcomes);
    this.#sends = new CounterSet(labels, 'outcome', LABELS.sendChecks);
  }

  onEvent(event: ViewEvent): void {
    this.#events.add(event);
  }

  onWaited(outcome: 'reached' | 'expired'): void {
    this.#waits.add(outcome);
  }

  onSend(outcome: SendCheck): void {
    this.#sends.add(outcome);
  }

  emit(page: Sheet): void {
    page.counters('viewEvents', this.#events);
    page.counters('viewWaits', this.#waits);
    page.counters('sendChecks', this.#sends);
  }
}
