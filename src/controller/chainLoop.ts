import { rm } from 'node:fs/promises';
import type { Config, NodeConfig } from '../config/schema.ts';
import type { HealOptions } from '../heal/options.ts';
import type { ControllerMetrics } from '../observe/controllerMetrics.ts';
import type { Logger } from '../observe/log.ts';
import type { Journal, JournalEntry } from '../observe/journal.ts';
import { planChain } from '../heal/plan.ts';
import type { NodeMemory } from '../heal/memory.ts';
import { withFailure, withoutFailure } from '../heal/undo.ts';
import type { ChainPlan, NodePlan } from '../heal/plan.ts';
import type { ChainFacts, NodeFacts } from '../heal/facts.ts';
import { ChainLook } from './chainLook.ts';
import type { CaptureLook, KeptNode, LookAsk, RestoreLook } from './chainLook.ts';
import type { EdgeChain, EdgeClient } from './edge.ts';
import { Enlister } from './enlist.ts';
import type { NodeRecord, Records } from './records.ts';
import type { NodeRoster } from './roster.ts';
import { StepBackoff } from './stepBackoff.ts';
import { Telemetry } from './telemetry.ts';
import type { NodeTelemetry } from './telemetry.ts';
import { takeStep } from './steps.ts';
import type { CaptureSteps, RestoreSteps } from './steps.ts';

/** Captures, as the loop of a chain sees them. */
export interface CaptureKeeper extends CaptureLook, CaptureSteps {
  /** Hears of what was decided. */
  planned(chain: string, plans: readonly NodePlan[], waits: string | null): void;
}

/** What the loops of all chains share. */
export interface LoopParts {
  readonly config: Pick<Config, 'chains'>;
  readonly edge: EdgeClient;
  readonly roster: NodeRoster;
  readonly records: Records;
  readonly journal: Journal;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly restore: (RestoreLook & RestoreSteps) | null;
  readonly captures: CaptureKeeper;
  readonly options: HealOptions;
  readonly rpcTimeoutMs: number;
  readonly nowMs: () => number;
  readonly random: () => number;
  /** Hears of each entry of the journal. */
  readonly onEntry: (entry: JournalEntry) => void;
  /** Hears of each sub-step as it is reached, by name: a crash there must be one that is recovered from. */
  readonly onPoint: (point: string) => void;
}

const TOLD_MISSES = 3;

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
  readonly #backoff = new StepBackoff();
  readonly #telemetry = new Telemetry();
  readonly #enlister: Enlister;
  /** Looks in a row that the gateway did not answer. */
  #misses = 0;

  constructor(chain: string, nodes: readonly KeptNode[], parts: LoopParts) {
    this.chain = chain;
    this.nodes = nodes;
    this.#parts = parts;
    this.#look = new ChainLook(chain);
    this.#enlister = new Enlister(chain, { ...parts, tell: (entry) => this.#write(entry) });
  }

  /** One look, and what follows from it. True when a step was begun: look again soon. */
  async turn(): Promise<boolean> {
    const { records } = this.#parts;
    // what a look saw while a step was under way can be from before it
    const moving = new Set(this.#busy.keys());
    const { facts, plan, told } = await this.#decide();
    this.#tellChain(plan);
    this.#tellGateway(told !== null);
    this.#tellEdge(facts);
    // one may have been forgotten meanwhile
    const open = plan.nodes.filter(({ node }) => !this.#busy.has(node) && !moving.has(node) && this.nodes.some(({ config }) => config.name === node));
    // told before it is taken down: what a crash falls between is told twice, not never
    for (const one of open) this.#tell(one, records.of(one.node).memory.verdict);
    for (const one of open) records.set(one.node, { memory: one.memory });
    // written first: whoever comes after a crash finds what was begun
    records.flush();
    this.#enlister.sync(this.#enlisted(facts), told);
    this.picture = { facts, plan };
    this.#measure(facts);
    this.#parts.metrics.look(this.chain, facts, plan);
    this.#parts.captures.planned(this.chain, plan.nodes, plan.captureWaits);
    let begun = false;
    for (const one of open) begun = this.#begin(one, facts) || begun;
    return begun;
  }

  telemetryOf(name: string): NodeTelemetry {
    return this.#telemetry.of(name);
  }

  #measure(facts: ChainFacts): void {
    const { nowMs, metrics } = this.#parts;
    for (const { config } of this.nodes) {
      const node = facts.nodes.find(({ name }) => name === config.name);
      if (node !== undefined) this.#telemetry.look(node, config.dataDir, nowMs());
      const { diskUsedBytes } = this.#telemetry.of(config.name);
      if (diskUsedBytes !== null) metrics.diskUsed(this.chain, config.name, diskUsedBytes);
    }
  }

  /** What would be done now, without doing it. */
  async dryRun(): Promise<ChainPicture> {
    const { facts, plan } = await this.#decide();
    return { facts, plan };
  }

  /** What would follow if operators wished so of a node, on the newest look; null before the first. */
  preview(name: string, record: Pick<NodeRecord, 'wish' | 'memory'>): NodePlan | null {
    if (this.picture === null) return null;
    const { facts } = this.picture;
    const nodes = facts.nodes.map((node) => (node.name === name ? { ...node, wish: record.wish } : node));
    return this.#plan({ ...facts, nodes }, new Map([[name, record.memory]])).nodes.find(({ node }) => node === name) ?? null;
  }

  async #decide(): Promise<ChainPicture & { readonly told: EdgeChain | null }> {
    const { records, edge, restore, captures, rpcTimeoutMs, metrics, nowMs } = this.#parts;
    const onSeen: LookAsk['onSeen'] = (name, usage, rpcMs) => {
      metrics.usage(this.chain, name, usage);
      if (rpcMs === null) return;
      this.#telemetry.answered(name, rpcMs);
      metrics.latency(this.chain, name, rpcMs);
    };
    const chains = await edge.look();
    const facts = await this.#look.look({ nodes: this.nodes, edge: chains, recordOf: (name) => records.of(name), restore, captures, rpcTimeoutMs, onSeen }, nowMs);
    return { facts, plan: this.#plan(facts), told: chains?.get(this.chain) ?? null };
  }

  /** Nodes that the gateway is to have. */
  #enlisted({ nodes }: ChainFacts): readonly NodeConfig[] {
    const leaving = new Set(nodes.filter(({ wish }) => wish === 'removed').map(({ name }) => name));
    return this.nodes.map(({ config }) => config).filter(({ name }) => !leaving.has(name));
  }

  /** Resolves when no step is under way. */
  async settled(): Promise<void> {
    await Promise.all([...this.#busy.values(), this.#enlister.settled()]);
  }

  #plan(facts: ChainFacts, instead: ReadonlyMap<string, NodeMemory> = new Map()): ChainPlan {
    const memories = new Map(facts.nodes.map(({ name }) => [name, instead.get(name) ?? this.#parts.records.of(name).memory]));
    return planChain({ chain: facts, memories, options: this.#parts.options, nowMs: this.#parts.nowMs(), jitter: (node, attempt) => this.#jitterOf(`${node} ${attempt}`) });
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
    if (!this.#backoff.isDue(one.node, one.step.kind, this.#parts.nowMs())) return false;
    this.#parts.onPoint(pointOf(one, 'decided'));
    this.#busy.set(one.node, this.#run(one, node, known).finally(() => this.#busy.delete(one.node)));
    return true;
  }

  async #run(one: NodePlan, node: KeptNode, facts: NodeFacts): Promise<void> {
    const { step } = one;
    if (step === null) return;
    const { nowMs, edge, restore, captures, metrics, onPoint, records } = this.#parts;
    const beganMs = nowMs();
    let error: string | undefined;
    try {
      await takeStep(step, node, facts, { edge, restore, captures, forget: (kept) => this.#forget(kept, one) });
      onPoint(pointOf(one, 'done'));
      // one that was forgotten has no record any more
      if (records.of(one.node).memory.operation !== null) records.set(one.node, { memory: withoutFailure(records.of(one.node).memory, step.kind) });
    } catch (caught) {
      error = caught instanceof Error ? caught.message : String(caught);
      records.set(one.node, { memory: withFailure(records.of(one.node).memory, step.kind, error) });
    }
    const durationMs = nowMs() - beganMs;
    this.#backoff.ended(one.node, step.kind, error !== undefined, nowMs());
    metrics.step(this.chain, step.kind, error === undefined ? 'ok' : 'failed');
    const kind = step.kind === 'callHuman' ? 'human' : 'step';
    this.#write({ node: one.node, kind, what: step.kind, why: one.why, outcome: error === undefined ? 'ok' : 'failed', durationMs, ...(error === undefined ? {} : { error }) });
  }

  /** The end of a removal. What is done twice after a crash changes nothing. */
  async #forget({ config, driver }: KeptNode, { memory }: NodePlan): Promise<void> {
    const { records, restore, roster, onPoint, nowMs, metrics } = this.#parts;
    const { name, dataDir } = config;
    await driver.forget(name);
    onPoint('forget, driver');
    if (records.of(name).deleteData) {
      if (restore === null) await rm(dataDir, { recursive: true, force: true });
      else await restore.removeData({ config, driver });
      onPoint('forget, data');
    }
    roster.drop(name);
    onPoint('forget, roster');
    this.nodes = this.nodes.filter((node) => node.config.name !== name);
    records.drop(name);
    records.flush();
    this.#look.forget(name);
    this.#backoff.forget(name);
    this.#telemetry.forget(name);
    const { operation } = memory;
    if (operation === null) return;
    const durationMs = nowMs() - operation.startedAtMs;
    metrics.operation(this.chain, 'remove', 'done', durationMs);
    metrics.forget(this.chain, name);
    this.#write({ node: name, kind: 'operation', what: 'remove', why: operation.why, outcome: 'ok', durationMs });
  }

  /** Tells that the whole chain stands still, that we are cut off or that the storm brake holds, and when that is over. */
  #tellChain({ verdict, storm }: ChainPlan): void {
    const before = this.picture?.plan;
    const tell = (what: string, why: string): void => this.#write({ node: '', kind: 'chain', what, why, outcome: 'ok' });
    const was = before?.verdict ?? null;
    if (was !== null && was.kind !== verdict?.kind) tell(`${was.kind}Over`, 'it is over: nodes are judged by their heads again');
    if (verdict !== null && verdict.kind !== was?.kind) tell(verdict.kind, `${verdict.why}: no node is touched for that`);
    if (storm && before?.storm !== true) tell('storm', 'so many nodes look ill that nothing may lower capacity or replace data; what ended is started');
    if (!storm && before?.storm === true) tell('stormOver', 'few nodes look ill: the storm brake is off');
  }

  /** Tells that the gateway cannot be asked, and when it can again; one look without an answer is no news. */
  #tellGateway(isThere: boolean): void {
    const before = this.#misses;
    this.#misses = isThere ? 0 : before + 1;
    const tell = (what: string, why: string): void => this.#write({ node: '', kind: 'chain', what, why, outcome: 'ok' });
    if (this.#misses === TOLD_MISSES) tell('gatewayAway', `the gateway cannot be asked: ${this.#parts.edge.fault ?? 'no answer'}; what ended is started, nothing that answers is stopped meanwhile`);
    if (isThere && before >= TOLD_MISSES) tell('gatewayAwayOver', 'the gateway answers again');
  }

  /** Tells whom the gateway keeps out since the look before, and why. */
  #tellEdge(facts: ChainFacts): void {
    for (const { name, edge } of facts.nodes) {
      const before = this.picture?.facts.nodes.find((node) => node.name === name)?.edge?.state;
      const isOut = edge?.state === 'ejected' || edge?.state === 'down';
      if (isOut && before !== undefined && before !== edge.state) this.#write({ node: name, kind: 'edge', what: edge.state, why: edge.why, outcome: 'ok' });
    }
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
    const text = `${entry.what} ${entry.node === '' ? this.chain : entry.node}: ${entry.why}`;
    if (entry.outcome === 'failed' || entry.kind === 'human') log.error(fields, text);
    else log.info(fields, text);
  }
}

/** Such as `restart: stop done`. */
function pointOf({ memory, ended, step }: NodePlan, what: string): string {
  return `${(memory.operation ?? ended?.operation)?.kind ?? 'none'}: ${step?.kind ?? 'none'} ${what}`;
}
