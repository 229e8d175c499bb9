import type { OutcomeClass } from '../chain/outcome.ts';
import type { StateReason, UpstreamState } from '../health/state.ts';
import { LABELS } from './metricTable.ts';
import type { ShareOutcome } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { Cell, CounterSet, DURATION_SCALE, LogHistogram } from './series.ts';
import type { Labels } from './series.ts';

/** What is shown of a node's health. */
export interface UpstreamFacts {
  readonly state: UpstreamState;
  readonly headNumber: number;
  readonly lagBlocks: number;
  readonly lagSeconds: number;
  readonly weight: number;
  readonly score: number;
}

/** What is shown of a node's budget. */
export interface BudgetGauges {
  readonly callsPerS: number;
  readonly weightPerS: number;
  /** Counts up. */
  readonly passed: number;
}

const NEW: UpstreamFacts = { state: 'probation', headNumber: -1, lagBlocks: 0, lagSeconds: 0, weight: 0, score: 0 };

/** Counts and facts of one upstream. */
export class UpstreamMetrics {
  readonly #labels: Labels;
  readonly #outcomes: CounterSet<OutcomeClass>;
  readonly #durations: LogHistogram;
  readonly #states: CounterSet<UpstreamState>;
  readonly #ejections: CounterSet<(typeof LABELS.outReasons.names)[number]>;
  readonly #shared: CounterSet<ShareOutcome>;
  readonly #sharedCalls = new Cell();
  readonly #socketLost = new Cell();
  readonly #strays = new Cell();
  readonly #notices = new Cell();
  readonly #duplicates = new Cell();
  readonly #arrivals: LogHistogram;
  #facts = NEW;
  #inFlight = 0;
  readonly #budgetCalls = new Cell();
  readonly #budgetWeight = new Cell();
  readonly #budgetPassed = new Cell();

  constructor(chain: string, upstream: string) {
    this.#labels = { chain, upstream };
    this.#outcomes = new CounterSet(this.#labels, 'outcome', LABELS.upstreamOutcomes);
    this.#durations = new LogHistogram(this.#labels, DURATION_SCALE);
    this.#states = new CounterSet(this.#labels, 'state', LABELS.states);
    this.#ejections = new CounterSet(this.#labels, 'reason', LABELS.outReasons);
    this.#shared = new CounterSet(this.#labels, 'outcome', LABELS.shareOutcomes);
    this.#arrivals = new LogHistogram(this.#labels, DURATION_SCALE);
    this.#states.choose(NEW.state);
  }

  onAttempt(outcome: OutcomeClass, durationMs: number): void {
    this.#outcomes.add(outcome);
    if (outcome !== 'cancelled') this.#durations.observe(durationMs);
  }

  onShared(calls: number, outcome: ShareOutcome): void {
    this.#shared.add(outcome);
    this.#sharedCalls.add(calls);
  }

  onSocketLost(): void {
    this.#socketLost.add();
  }

  onStray(): void {
    this.#strays.add();
  }

  /** The node told of a block by itself. @param delayMs behind the first node; -1 = it had told of it before */
  onNotice(delayMs: number): void {
    this.#notices.add();
    if (delayMs < 0) this.#duplicates.add();
    else this.#arrivals.observe(delayMs);
  }

  onOut(reason: StateReason): void {
    if (reason !== 'new' && reason !== 'ok' && reason !== 'operator') this.#ejections.add(reason);
  }

  set(facts: UpstreamFacts): void {
    this.#facts = facts;
    this.#states.choose(facts.state);
  }

  setInFlight(attempts: number): void {
    this.#inFlight = attempts;
  }

  /** As it shows: the sum over all processes. */
  get budget(): BudgetGauges {
    return { callsPerS: this.#budgetCalls.value, weightPerS: this.#budgetWeight.value, passed: this.#budgetPassed.value };
  }

  setBudget(budget: BudgetGauges): void {
    this.#budgetCalls.set(budget.callsPerS);
    this.#budgetWeight.set(budget.weightPerS);
    this.#budgetPassed.set(budget.passed);
  }

  emit(page: Sheet): void {
    const labels = this.#labels;
    const facts = this.#facts;
    page.counters('upstreamRequests', this.#outcomes);
    page.histogram('upstreamDuration', this.#durations);
    page.states('upstreamState', this.#states);
    page.counters('ejections', this.#ejections);
    page.counters('upstreamBatches', this.#shared);
    page.count('upstreamBatchCalls', labels, this.#sharedCalls);
    page.count('upstreamSocketLost', labels, this.#socketLost);
    page.count('upstreamStrays', labels, this.#strays);
    page.count('upstreamNotices', labels, this.#notices);
    page.count('upstreamDuplicates', labels, this.#duplicates);
    page.histogram('arrivalDelay', this.#arrivals);
    page.value('upstreamHead', labels, facts.headNumber);
    page.value('upstreamLagBlocks', labels, facts.lagBlocks);
    page.value('upstreamLagSeconds', labels, facts.lagSeconds);
    page.value('upstreamWeight', labels, facts.weight);
    page.value('upstreamScore', labels, facts.score);
    page.value('upstreamInFlight', labels, this.#inFlight);
    page.level('upstreamBudget', { ...labels, unit: 'calls' }, this.#budgetCalls);
    page.level('upstreamBudget', { ...labels, unit: 'weight' }, this.#budgetWeight);
    page.count('upstreamBudgetPassed', labels, this.#budgetPassed);
  }
}
