import { deniedMask, MethodPolicy } from '../chain/access.ts';
import type { Catalog } from '../chain/catalog.ts';
import { CAPABILITY_BITS } from '../chain/method.ts';
import type { Capability, MethodSpec } from '../chain/method.ts';
import { HeadsView } from '../chain/view.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { ChainConfig, UpstreamConfig } from '../config/schema.ts';
import { ChainJudge } from '../health/judge.ts';
import type { JudgedUpstream } from '../health/options.ts';
import type { JudgeEvent, UpstreamReport } from '../health/report.ts';
import type { RouteTable } from '../health/table.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import { affinityKey } from '../route/affinity.ts';
import type { AttemptOptions } from '../route/attemptPort.ts';
import type { RankAsk } from '../route/flaws.ts';
import { LoadBook } from '../route/loadBook.ts';
import { Ranker } from '../route/rank.ts';
import { RetryBudget } from '../route/retryBudget.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { ChainOptions } from './chainOptions.ts';
import { FirstLook } from './firstLook.ts';
import { UpstreamNode } from './node.ts';
import type { GatewayWorld } from './node.ts';
import type { Beating, Pulse } from './pulse.ts';
import { RecentHashes } from './recent.ts';
import { UnderwaySet } from './underway.ts';
import type { Placed } from './underway.ts';
import { Roster } from './roster.ts';

/** Transaction hashes sent through this edge that are remembered. */
const RECENT_HASHES = 20_000;

/** What a chain shares with the others of its process. */
export interface ChainParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  readonly metrics: ChainMetrics;
  readonly pulse: Pulse;
  readonly maxResponseBytes: number;
}

const DECLARABLE: readonly Capability[] = ['archive', 'trace', 'debug', 'txpool', 'filters'];

/** Capabilities that the config says the node lacks, as bits. */
function declaredLacks(config: UpstreamConfig): number {
  return DECLARABLE.reduce((bits, name) => (config.capabilities[name] === false ? bits | CAPABILITY_BITS[name] : bits), 0);
}

/** A call under way, to be told when nodes leave service. */
export interface Underway extends Placed {
  onLeft(indices: readonly number[]): void;
}

/** One chain as this process serves it: its nodes, the judge over them, the route table of the moment. */
export class ChainRuntime implements Beating {
  readonly name: string;
  /** As it is in force now. */
  config: ChainConfig;
  policy: MethodPolicy;
  ranker: Ranker;
  readonly book: LoadBook;
  readonly recent = new RecentHashes(RECENT_HASHES);
  readonly metrics: ChainMetrics;
  readonly judge: ChainJudge;
  /** Swapped whole at each beat that changed something. */
  table: RouteTable;
  chainId: number | null;
  /** The chain as clients of this process may see it. */
  readonly view: HeadsView;
  /** Calls under way. */
  readonly running = new UnderwaySet<Underway>();
  /** What all attempt machines of the chain share. */
  readonly attempts: { readonly options: AttemptOptions; budget: RetryBudget; readonly book: LoadBook };
  /** Refilled for each call. */
  readonly ask: RankAsk = { keyHash: 0, affine: true, nowMs: 0, requiredBlock: -1, stateBlock: -1 };
  readonly firstLook = new FirstLook();
  private refusedRetries = 0;
  private readonly parts: ChainParts;
  private readonly options: ChainOptions;
  private readonly roster: Roster;
  private maxResponseBytes: number;

  constructor(config: ChainConfig, chainId: number | null, parts: ChainParts) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.chainId = chainId;
    this.metrics = parts.metrics;
    this.policy = new MethodPolicy(parts.catalog, config.methods);
    this.book = new LoadBook(config.upstreams.length);
    this.ranker = new Ranker(this.book, config.routing.boundedLoad);
    this.options = new ChainOptions(config);
    this.attempts = { options: this.options.attempt, budget: new RetryBudget(config.routing.retryBudget), book: this.book };
    this.maxResponseBytes = parts.maxResponseBytes;
    const { clock, random } = parts.world;
    this.judge = new ChainJudge(
      { chain: config.name, chainId, health: this.options.health, heads: { ...config.health.trustedHead, blockTimeMs: config.blockTimeMs }, pace: this.options.pace },
      config.upstreams.map((upstream) => this.judged(upstream)),
      random,
      clock.nowMs(),
    );
    this.table = this.judge.table;
    this.view = new HeadsView(this.judge.heads);
    this.roster = this.openRoster();
    this.roster.begin(config.upstreams);
  }

  /** True when a call could be answered now. */
  get ready(): boolean {
    return this.table.serving.length > 0 && this.chainId !== null;
  }

  get budget(): RetryBudget {
    return this.attempts.budget;
  }

  get catalog(): Catalog {
    return this.parts.catalog;
  }

  /** Whether any class of methods is routed by client. */
  get usesClientAffinity(): boolean {
    return Object.values(this.config.routing.affinity).includes('client');
  }

  /** Fills in the affinity key of a call. */
  aim(spec: MethodSpec, call: ScannedCall, whose: { readonly clientName: string }): void {
    const kind = this.config.routing.affinity[spec.class];
    const client = kind === 'client' ? whose.clientName : '';
    // a client that nobody knows is bound to no node
    const used = kind === 'client' && client === '' ? 'none' : kind;
    const key = affinityKey(used, { spec, method: call.method, paramsRaw: call.paramsRaw, client });
    this.ask.affine = key !== null;
    this.ask.keyHash = key ?? (this.parts.world.random() * 4294967296) >>> 0;
  }

  node(index: number): UpstreamNode | undefined {
    return this.roster.node(index);
  }

  /** Tells the judge how an attempt ended; a beat follows at once when that cannot wait. */
  count(index: number, outcome: Outcome, latencyMs: number, nowMs: number): void {
    if (this.judge.onOutcome(index, outcome, latencyMs, nowMs)) this.parts.pulse.rush(this);
  }

  /** All configured upstreams, told for people. */
  reports(nowMs: number): readonly UpstreamReport[] {
    return this.judge.snapshot(nowMs).filter(({ index }) => !this.roster.isLeaving(index));
  }

  /**
   * Takes over another configuration of the same chain without dropping a call. What `planReload` keeps for a restart
   * must be as before.
   */
  apply(config: ChainConfig, maxResponseBytes: number): void {
    const before = this.config;
    const nowMs = this.parts.world.clock.nowMs();
    const { boundedLoad, retryBudget, connectTimeoutMs, deadlineMs } = config.routing;
    const reopen =
      connectTimeoutMs !== before.routing.connectTimeoutMs ||
      config.health.probeTimeoutMs !== before.health.probeTimeoutMs ||
      maxResponseBytes !== this.maxResponseBytes;
    this.config = config;
    this.maxResponseBytes = maxResponseBytes;
    this.policy = new MethodPolicy(this.catalog, config.methods);
    this.options.take(config);
    if (boundedLoad !== before.routing.boundedLoad) this.ranker = new Ranker(this.book, boundedLoad);
    if (retryBudget.percent !== before.routing.retryBudget.percent || retryBudget.reservePerS !== before.routing.retryBudget.reservePerS) {
      this.countRefusedRetries();
      this.attempts.budget = new RetryBudget(retryBudget);
      this.refusedRetries = 0;
    }
    this.roster.apply(config.upstreams, { reopen, graceMs: Math.max(deadlineMs, before.routing.deadlineMs), nowMs });
    this.beat(nowMs);
  }

  beat(nowMs: number): void {
    this.look(nowMs);
    if (this.roster.settle(this.table, nowMs)) this.look(nowMs);
  }

  private look(nowMs: number): void {
    const before = this.table;
    const { table, events, dueProbes } = this.judge.tick(nowMs);
    this.table = table;
    if (before !== table) {
      const left = before.serving.filter((index) => !table.serving.includes(index));
      if (left.length > 0) for (const run of this.running.snapshot()) run.onLeft(left);
    }
    this.firstLook.onTable(this.ready, this.config.upstreams.length);
    for (const event of events) {
      if (event.kind === 'head') this.view.onEvent(event.head);
    }
    for (const event of events) this.tell(event);
    for (const index of dueProbes) this.roster.node(index)?.probe(this.judge.checkNumbers(index));
  }

  /** Counts what the retry budget refused since the last time. */
  countRefusedRetries(): void {
    for (; this.refusedRetries < this.budget.refused; this.refusedRetries++) this.metrics.onRetryBudgetExhausted();
  }

  async close(graceMs: number): Promise<void> {
    this.parts.pulse.remove(this);
    await this.roster.close(graceMs);
  }

  private judged(config: UpstreamConfig): JudgedUpstream {
    const { name, weight, tier, maxInFlight, methods } = config;
    const denied = deniedMask(this.parts.catalog, methods.allow, methods.deny);
    return { name, weight, tier, maxInFlight, lacks: declaredLacks(config), denied };
  }

  private openRoster(): Roster {
    const { judge, metrics } = this;
    return new Roster({
      open: (config, index) => this.open(config, index),
      enlist: (config) => {
        const index = judge.add(this.judged(config), this.parts.world.clock.nowMs());
        metrics.addUpstream(index, config.name);
        return index;
      },
      revise: (config, index) => judge.configure(index, this.judged(config)),
      hide: (index) => metrics.removeUpstream(index),
      discharge: (index) => judge.remove(index),
    });
  }

  private open(config: UpstreamConfig, index: number): UpstreamNode {
    const { world, pulse } = this.parts;
    const listener = {
      onProbe: (result: Parameters<ChainJudge['onProbe']>[1]) => {
        const nowMs = world.clock.nowMs();
        this.firstLook.onProbed(index);
        if (result.kind === 'ok') {
          this.book.answered(index);
          if (result.chainId !== null) this.learnChainId(result.chainId);
        }
        if (this.judge.onProbe(index, result, nowMs)) pulse.rush(this);
      },
      onHead: (head: Parameters<ChainJudge['onHead']>[1]) => {
        this.judge.onHead(index, head, world.clock.nowMs());
        pulse.rush(this);
      },
      blockTimeMs: () => this.judge.heads.blockTimeMs,
    };
    return new UpstreamNode(config, this.config, this.maxResponseBytes, { world, listener });
  }

  /** The first node that tells its chain id decides it where the config does not. */
  private learnChainId(chainId: number): void {
    if (this.chainId !== null) return;
    this.chainId = chainId;
    this.judge.setChainId(chainId);
    this.parts.world.log.info({ chain: this.name, chainId }, 'chain id learnt from the nodes');
    this.onChainId(chainId);
  }

  /** Called once when the chain id becomes known after the start. */
  onChainId: (chainId: number) => void = () => undefined;

  private tell(event: JudgeEvent): void {
    const { log } = this.parts.world;
    const chain = this.name;
    this.metrics.onJudgeEvent(event);
    if (event.kind === 'state') {
      const fields = { chain, upstream: event.name, from: event.from, to: event.to, reason: event.reason };
      const bad = event.to === 'down' || event.to === 'ejected';
      if (bad) log.warn(fields, event.why);
      else log.info(fields, event.why);
    } else if (event.kind === 'panic') {
      log.warn({ chain, serving: event.serving, total: event.total }, event.on ? 'panic: judgements are suspended' : 'panic is over');
    } else if (event.head.kind === 'reorg') {
      log.warn({ chain, fromNumber: event.head.fromNumber, depth: event.head.depth, finalityBroken: event.head.finalityBroken }, 'reorg');
    } else if (event.head.kind === 'halted') {
      log.warn({ chain, head: event.head.number }, 'the chain has halted: nobody advances, nobody is ejected for it');
    } else if (event.head.kind === 'resumed') {
      log.info({ chain, head: event.head.number }, 'the chain moves on');
    }
  }
}
