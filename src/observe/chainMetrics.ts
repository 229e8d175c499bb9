import type { OutcomeClass } from '../chain/outcome.ts';
import type { JudgeEvent } from '../health/report.ts';
import { LABELS } from './metricTable.ts';
import type { RequestOutcome, RetryReason } from './metricTable.ts';
import type { Page } from './page.ts';
import { COUNT_SCALE, CounterSet, DURATION_SCALE, LogHistogram } from './series.ts';
import type { Labels } from './series.ts';
import { UpstreamMetrics } from './upstreamMetrics.ts';
import type { UpstreamFacts } from './upstreamMetrics.ts';

/** Counts and facts of one chain. The methods on the path of a call write into arrays and allocate nothing. */
export class ChainMetrics {
  readonly #chain: string;
  readonly #labels: Labels;
  readonly #methods: readonly string[];
  readonly #methodCounts: Float64Array;
  readonly #outcomes: CounterSet<RequestOutcome>;
  readonly #durations: LogHistogram;
  readonly #retries: CounterSet<RetryReason>;
  readonly #hedges: CounterSet<'won' | 'lost'>;
  readonly #reorgDepths: LogHistogram;
  readonly #upstreams: (UpstreamMetrics | undefined)[] = [];
  #budgetExhausted = 0;
  #reorgs = 0;
  #trusted = -1;
  #finalized = -1;
  #panic = false;

  /** @param methods names of the catalogue by index, each once */
  constructor(chain: string, methods: readonly string[]) {
    this.#chain = chain;
    this.#labels = { chain };
    this.#methods = methods;
    this.#methodCounts = new Float64Array(methods.length + 1);
    this.#outcomes = new CounterSet(this.#labels, 'outcome', LABELS.requestOutcomes);
    this.#durations = new LogHistogram(this.#labels, DURATION_SCALE);
    this.#retries = new CounterSet(this.#labels, 'reason', LABELS.retryReasons);
    this.#hedges = new CounterSet(this.#labels, 'outcome', LABELS.hedgeOutcomes);
    this.#reorgDepths = new LogHistogram(this.#labels, COUNT_SCALE);
  }

  /** Shows an upstream from now on, at zero. An index that is taken is started over. */
  addUpstream(index: number, name: string): void {
    this.#upstreams[index] = new UpstreamMetrics(this.#chain, name);
  }

  /** Its series vanish with the next scrape; what is still counted for it is left out. */
  removeUpstream(index: number): void {
    this.#upstreams[index] = undefined;
  }

  /** Hot: a client's call ended. @param methodIndex of the catalogue; anything else counts as `other` */
  onRequest(methodIndex: number, outcome: RequestOutcome, durationMs: number): void {
    const other = this.#methods.length;
    const slot = methodIndex >= 0 && methodIndex < other ? methodIndex : other;
    this.#methodCounts[slot] = (this.#methodCounts[slot] ?? 0) + 1;
    this.#outcomes.add(outcome);
    this.#durations.observe(durationMs);
  }

  /** Hot: an attempt at an upstream ended. */
  onUpstream(index: number, outcome: OutcomeClass, durationMs: number): void {
    this.#upstreams[index]?.onAttempt(outcome, durationMs);
  }

  onRetry(reason: RetryReason): void {
    this.#retries.add(reason);
  }

  onHedge(outcome: 'won' | 'lost'): void {
    this.#hedges.add(outcome);
  }

  onRetryBudgetExhausted(): void {
    this.#budgetExhausted++;
  }

  /** Cold: counts what the judge told. */
  onJudgeEvent(event: JudgeEvent): void {
    if (event.kind === 'panic') this.#panic = event.on;
    else if (event.kind === 'state') {
      if (event.to === 'ejected' || event.to === 'down') this.#upstreams[event.index]?.onOut(event.reason);
    } else if (event.head.kind === 'finalized') this.#finalized = event.head.number;
    else {
      this.#trusted = event.head.number;
      if (event.head.kind === 'reorg') {
        this.#reorgs++;
        this.#reorgDepths.observe(event.head.depth);
      }
    }
  }

  /** Cold: what is known of an upstream now; best told just before each scrape (`GatewayMetrics.beforeScrape`). */
  setUpstream(index: number, facts: UpstreamFacts): void {
    this.#upstreams[index]?.set(facts);
  }

  setUpstreamInFlight(index: number, attempts: number): void {
    this.#upstreams[index]?.setInFlight(attempts);
  }

  emit(page: Page): void {
    const labels = this.#labels;
    page.counters('requests', this.#outcomes);
    page.histogram('requestDuration', this.#durations);
    for (const [i, count] of this.#methodCounts.entries()) {
      if (count > 0) page.value('methodRequests', { ...labels, method: this.#methods[i] ?? 'other' }, count);
    }
    page.counters('retries', this.#retries);
    page.counters('hedges', this.#hedges);
    page.value('retryBudgetExhausted', labels, this.#budgetExhausted);
    page.value('trustedHead', labels, this.#trusted);
    page.value('trustedFinalized', labels, this.#finalized);
    page.value('reorgs', labels, this.#reorgs);
    page.histogram('reorgDepth', this.#reorgDepths);
    page.value('panic', labels, this.#panic ? 1 : 0);
    for (const upstream of this.#upstreams) upstream?.emit(page);
  }
}
