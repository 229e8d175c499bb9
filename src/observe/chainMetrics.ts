import { CacheMetrics } from './cacheMetrics.ts';
import type { OutcomeClass } from '../chain/outcome.ts';
import type { JudgeEvent } from '../health/report.ts';
import { LogsMetrics } from './logsMetrics.ts';
import { LABELS } from './metricTable.ts';
import type { RequestOutcome, RetryReason, ShareOutcome, StreamEnding } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { Cell, COUNT_SCALE, CounterSet, DURATION_SCALE, LogHistogram, SparseCounters } from './series.ts';
import type { Labels } from './series.ts';
import { SubsMetrics } from './subsMetrics.ts';
import { UpstreamMetrics } from './upstreamMetrics.ts';
import type { BudgetGauges, UpstreamFacts } from './upstreamMetrics.ts';
import { ViewMetrics } from './viewMetrics.ts';

/** Counts and facts of one chain. The methods on the path of a call write into arrays and allocate nothing. */
export class ChainMetrics {
  /** What one view of the chain took. */
  readonly view: ViewMetrics;
  readonly cache: CacheMetrics;
  readonly logs: LogsMetrics;
  readonly #chain: string;
  readonly #labels: Labels;
  readonly #methods: SparseCounters;
  readonly #outcomes: CounterSet<RequestOutcome>;
  readonly #durations: LogHistogram;
  /** Calls that joined an equal one. */
  readonly streams: CounterSet<StreamEnding>;
  readonly coalesced: CounterSet<'shared' | 'led' | 'failed'>;
  readonly #retries: CounterSet<RetryReason>;
  readonly #hedges: CounterSet<'won' | 'lost'>;
  readonly #reorgDepths: LogHistogram;
  /** Of subscriptions. */
  readonly subs: SubsMetrics;
  readonly #upstreams: (UpstreamMetrics | undefined)[] = [];
  readonly #budgetExhausted = new Cell();
  readonly #budgetWaits = new Cell();
  readonly #reorgs = new Cell();
  readonly #finalityBreaks = new Cell();
  #trusted = -1;
  #finalized = -1;
  #panic = false;

  /** @param methods names of the catalogue by index, each once */
  constructor(chain: string, methods: readonly string[]) {
    this.#chain = chain;
    this.cache = new CacheMetrics(chain);
    this.#labels = { chain };
    this.view = new ViewMetrics(this.#labels);
    this.logs = new LogsMetrics(this.#labels);
    this.#methods = new SparseCounters(this.#labels, 'method', methods);
    this.#outcomes = new CounterSet(this.#labels, 'outcome', LABELS.requestOutcomes);
    this.#durations = new LogHistogram(this.#labels, DURATION_SCALE);
    this.streams = new CounterSet(this.#labels, 'outcome', LABELS.streamEndings);
    this.coalesced = new CounterSet(this.#labels, 'outcome', LABELS.coalescedOutcomes);
    this.#retries = new CounterSet(this.#labels, 'reason', LABELS.retryReasons);
    this.#hedges = new CounterSet(this.#labels, 'outcome', LABELS.hedgeOutcomes);
    this.#reorgDepths = new LogHistogram(this.#labels, COUNT_SCALE);
    this.subs = new SubsMetrics(this.#labels);
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
    this.#methods.add(methodIndex);
    this.#outcomes.add(outcome);
    this.#durations.observe(durationMs);
  }

  /** Hot: an attempt at an upstream ended. */
  onUpstream(index: number, outcome: OutcomeClass, durationMs: number): void {
    this.#upstreams[index]?.onAttempt(outcome, durationMs);
  }

  /** A node was sent several calls in one message. */
  onShared(index: number, calls: number, outcome: ShareOutcome): void {
    this.#upstreams[index]?.onShared(calls, outcome);
  }

  /** A WebSocket for calls was lost, or could not be opened. */
  onSocketLost(index: number): void {
    this.#upstreams[index]?.onSocketLost();
  }

  /** A node said something on such a socket that answers nobody. */
  onStray(index: number): void {
    this.#upstreams[index]?.onStray();
  }

  /** A node told of a block by itself. @param delayMs behind the first node; -1 = it had told of it before */
  onNotice(index: number, delayMs: number): void {
    this.#upstreams[index]?.onNotice(delayMs);
  }

  onRetry(reason: RetryReason): void {
    this.#retries.add(reason);
  }

  onHedge(outcome: 'won' | 'lost'): void {
    this.#hedges.add(outcome);
  }

  onRetryBudgetExhausted(): void {
    this.#budgetExhausted.add();
  }

  /** A call began to wait for the budget of a node. */
  onBudgetWait(): void {
    this.#budgetWaits.add();
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
        this.#reorgs.add();
        if (event.head.finalityBroken) this.#finalityBreaks.add();
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

  /** What is shown of an upstream's budget; null once it was removed. */
  upstreamBudget(index: number): BudgetGauges | null {
    return this.#upstreams[index]?.budget ?? null;
  }

  setUpstreamBudget(index: number, budget: BudgetGauges): void {
    this.#upstreams[index]?.setBudget(budget);
  }

  /** Everything of the chain, with its upstreams. */
  emit(page: Sheet): void {
    this.emitOwn(page);
    for (const upstream of this.#upstreams) upstream?.emit(page);
  }

  /** The upstreams that show, by index. */
  upstreams(): readonly (readonly [index: number, UpstreamMetrics])[] {
    return this.#upstreams.flatMap((upstream, index) => (upstream === undefined ? [] : [[index, upstream] as const]));
  }

  /** The chain's own, without its upstreams. */
  emitOwn(page: Sheet): void {
    const labels = this.#labels;
    page.counters('requests', this.#outcomes);
    page.histogram('requestDuration', this.#durations);
    page.counters('methodRequests', this.#methods);
    page.counters('streams', this.streams);
    page.counters('coalesced', this.coalesced);
    page.counters('retries', this.#retries);
    page.counters('hedges', this.#hedges);
    page.count('retryBudgetExhausted', labels, this.#budgetExhausted);
    page.count('budgetWaits', labels, this.#budgetWaits);
    page.value('trustedHead', labels, this.#trusted);
    page.value('trustedFinalized', labels, this.#finalized);
    page.count('reorgs', labels, this.#reorgs);
    page.count('finalityBreaks', labels, this.#finalityBreaks);
    page.histogram('reorgDepth', this.#reorgDepths);
    this.view.emit(page);
    this.cache.emit(page);
    this.logs.emit(page);
    page.value('panic', labels, this.#panic ? 1 : 0);
    this.subs.emit(page);
  }
}
