import type { HealOptions } from '../heal/options.ts';
import type { ControllerMetrics } from '../observe/controllerMetrics.ts';
import type { Logger } from '../observe/log.ts';
import type { Journal, JournalEntry } from '../observe/journal.ts';
import { planChain } from '../heal/plan.ts';
import type { ChainPlan, NodePlan } from '../heal/plan.ts';
import type { ChainFacts, NodeFacts } from '../heal/facts.ts';
import { ChainLook } from './chainLook.ts';
import type { KeptNode, LookAsk, RestoreLook } from './chainLook.ts';
import type { EdgeClient } from './edge.ts';
import type { Records } from './records.ts';
import { takeStep } from './steps.ts';
import type { RestoreSteps } from './steps.ts';

/** What the loops of all chains share. */
export interface LoopParts {
  readonly edge: EdgeClient;
  readonly records: Records;
  readonly journal: Journal;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly restore: (RestoreLook & RestoreSteps) | null;
  readonly options: HealOptions;
  readonly rpcTimeoutMs: number;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Hears of each entry of the journal. */
  readonly onEntry: (entry: JournalEntry) => void;
}

/** The newest look at a chain and what was decided on it. */
export interface ChainPicture {
  readonly facts: ChainFacts;
  readonly plan: ChainPlan;
}

/**
 * Keeps the nodes of one chain: looks, plans, writes down what it is about to do, does one step per node, looks again.
 * Nothing is kept in mind between two looks that is not on disk, except what is seen moving.
 */
export class ChainLoop {
  readonly chain: string;
  nodes: readonly KeptNode[];
  picture: ChainPicture | null = null;
  readonly #parts: LoopParts;
  readonly #look: ChainLook;
  /** Nodes with a step under way: no second one meanwhile. */
  readonly #busy = new Map<string, Promise<void>>();
  readonly #jitter = new Map<string, number>();

  constructor(chain: string, nodes: readonly KeptNode[], parts: LoopParts) {
    this.chain = chain;
    this.nodes = nodes;
    this.#parts = parts;
    this.#look = new ChainLook(chain);
  }

  /** One look, and what follows from it. True when a step was begun: look again soon. */
  async turn(): Promise<boolean> {
    const { records } = this.#parts;
    const { facts, plan } = await this.dryRun();
    const before = new Map(plan.nodes.map(({ node }) => [node, records.of(node).memory.verdict]));
    for (const one of plan.nodes) if (!this.#busy.has(one.node)) records.set(one.node, { memory: one.memory });
    // written first: whoever comes after a crash finds what was begun
    records.flush();
    this.picture = { facts, plan };
    this.#parts.metrics.look(this.chain, facts, plan);
    let begun = false;
    for (const one of plan.nodes) {
      if (this.#busy.has(one.node)) continue;
      this.#tell(one, before.get(one.node) ?? 'unknown');
      begun = this.#begin(one, facts) || begun;
    }
    return begun;
  }

  /** What would be done now, without doing it. */
  async dryRun(): Promise<ChainPicture> {
    const { records, edge, restore, rpcTimeoutMs, options, metrics, nowMs } = this.#parts;
    const onSeen: LookAsk['onSeen'] = (name, usage, rpcMs) => {
      metrics.usage(this.chain, name, usage);
      if (rpcMs !== null) metrics.latency(this.chain, name, rpcMs);
    };
    const facts = await this.#look.look({ nodes: this.nodes, edge: await edge.look(), recordOf: (name) => records.of(name), restore, rpcTimeoutMs, onSeen }, nowMs);
    return { facts, plan: this.#plan(facts, options) };
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    await Promise.all(this.#busy.values());
  }

  #plan(facts: ChainFacts, options: HealOptions): ChainPlan {
    const memories = new Map(facts.nodes.map(({ name }) => [name, this.#parts.records.of(name).memory]));
    return planChain({ chain: facts, memories, options, nowMs: this.#parts.nowMs(), jitter: (node, attempt) => this.#jitterOf(`${node} ${attempt}`) });
  }

  #jitterOf(key: string): number {
    const known = this.#jitter.get(key);
    if (known !== undefined) return known;
    const drawn = this.#parts.random();
    this.#jitter.set(key, drawn);
    return drawn;
  }

  #begin(one: NodePlan, facts: ChainFacts): boolean {
    const node = this.nodes.find(({ config }) => config.name === one.node);
    const known = facts.nodes.find(({ name }) => name === one.node);
    if (one.step === null || node === undefined || known === undefined) return false;
    this.#busy.set(one.node, this.#run(one, node, known).finally(() => this.#busy.delete(one.node)));
    return true;
  }

  async #run(one: NodePlan, node: KeptNode, facts: NodeFacts): Promise<void> {
    const { step } = one;
    if (step === null) return;
    const { nowMs, edge, restore, metrics } = this.#parts;
    const beganMs = nowMs();
    let error: string | undefined;
    try {
      await takeStep(step, node, facts, { edge, restore });
    } catch (caught) {
      error = caught instanceof Error ? caught.message : String(caught);
    }
    const durationMs = nowMs() - beganMs;
    metrics.step(this.chain, step.kind, error === undefined ? 'ok' : 'failed');
    const kind = step.kind === 'callHuman' ? 'human' : 'step';
    this.#write({ node: one.node, kind, what: step.kind, why: one.why, outcome: error === undefined ? 'ok' : 'failed', durationMs, ...(error === undefined ? {} : { error }) });
  }

  /** Tells a verdict that changed, and an operation that ended. */
  #tell(one: NodePlan, verdictBefore: string): void {
    if (one.verdict.kind !== verdictBefore) this.#write({ node: one.node, kind: 'verdict', what: one.verdict.kind, why: one.verdict.why, outcome: 'ok' });
    if (one.ended === null) return;
    const { operation, outcome } = one.ended;
    const durationMs = this.#parts.nowMs() - operation.startedAtMs;
    this.#parts.metrics.operation(this.chain, operation.kind, outcome, durationMs);
    this.#write({ node: one.node, kind: 'operation', what: operation.kind, why: `${operation.why}; ${one.why}`, outcome: outcome === 'done' ? 'ok' : outcome, durationMs });
  }

  #write(entry: Omit<JournalEntry, 'at' | 'chain'>): void {
    const { journal, log, nowMs, onEntry } = this.#parts;
    const whole = { at: new Date(nowMs()).toISOString(), chain: this.chain, ...entry };
    journal.add(whole);
    onEntry(whole);
    const fields = { chain: this.chain, ...entry };
    if (entry.outcome === 'failed' || entry.kind === 'human') log.error(fields, `${entry.what} ${entry.node}: ${entry.why}`);
    else log.info(fields, `${entry.what} ${entry.node}: ${entry.why}`);
  }
}
