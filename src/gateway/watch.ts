import { Proofs } from '../cache/derive/proofs.ts';
import type { Compared } from '../cache/derive/proofs.ts';
import type { FlushScope } from '../cache/store.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { Outcome } from '../chain/outcome.ts';
import { HeadsView } from '../chain/view.ts';
import type { ChainConfig, UpstreamConfig } from '../config/schema.ts';
import { ChainJudge } from '../health/judge.ts';
import type { JudgeEvent, UpstreamReport } from '../health/report.ts';
import type { RouteTable } from '../health/table.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import { ChainOptions } from './chainOptions.ts';
import { Finality } from './finality.ts';
import { FirstLook } from './firstLook.ts';
import { judgedUpstream } from './judgedUpstream.ts';
import type { Judging, Seat, Serving } from './judging.ts';
import { ChainFollow } from './follow.ts';
import type { GatewayWorld } from './node.ts';
import type { NodeWord, Question } from './nodeQuestion.ts';
import { NodeWatch } from './nodeWatch.ts';
import type { Beating, Pulse } from './pulse.ts';
import { Roster } from './roster.ts';
import { feedEvent, tellEvent } from './tell.ts';

/** What a chain's judging side shares with the others of its process. */
export interface WatchParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  readonly metrics: ChainMetrics;
  readonly pulse: Pulse;
  readonly maxResponseBytes: number;
}

/** The judging side of one chain: watches its nodes, judges them, and tells the serving sides whom to send calls to. */
export class ChainWatch implements Beating, Judging {
  readonly name: string;
  /** As it is in force now. */
  config: ChainConfig;
  readonly judge: ChainJudge;
  /** The chain as clients may see it. */
  readonly view: HeadsView;
  /** Follows the chain for subscribers. */
  readonly follow: ChainFollow;
  readonly finality = new Finality();
  readonly firstLook = new FirstLook();
  /** Whose answers may be derived from others, as found by all processes that serve the chain. */
  readonly proofs: Proofs;
  chainId: number | null;
  private readonly parts: WatchParts;
  private readonly options: ChainOptions;
  private readonly roster: Roster;
  private readonly sides = new Set<Serving>();
  private maxResponseBytes: number;

  constructor(config: ChainConfig, chainId: number | null, parts: WatchParts) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.chainId = chainId;
    this.maxResponseBytes = parts.maxResponseBytes;
    this.options = new ChainOptions(config);
    this.proofs = new Proofs(config.cache.derive.samples);
    const { clock, random } = parts.world;
    this.judge = new ChainJudge(
      { chain: config.name, chainId, health: this.options.health, heads: { ...config.health.trustedHead, blockTimeMs: config.blockTimeMs }, pace: this.options.pace },
      config.upstreams.map((upstream) => judgedUpstream(upstream, parts.catalog)),
      random,
      clock.nowMs(),
    );
    this.view = new HeadsView(this.judge.heads);
    this.follow = new ChainFollow(config.subscriptions, {
      chain: config.name,
      world: parts.world,
      metrics: parts.metrics,
      view: this.view,
      table: () => this.judge.table,
      ask: (node, question, done) => this.ask(node, question, done),
      isSyncing: () => this.judge.syncing,
      arrived: (node, delayMs) => {
        parts.metrics.onNotice(node, delayMs);
        if (delayMs >= 0) this.judge.onArrival(node, delayMs, clock.nowMs());
      },
      listen: (node, onHash) => this.roster.watch(node)?.listen((question, done) => this.ask(node, question, done), onHash) ?? null,
    });
    this.roster = this.openRoster();
    this.roster.begin(config.upstreams);
  }

  /** The picture of the last beat. */
  get table(): RouteTable {
    return this.judge.table;
  }

  /** The nodes that calls may be sent to. */
  get seats(): readonly Seat[] {
    const { maxResponseBytes } = this;
    const { connectTimeoutMs } = this.config.routing;
    return this.roster.places.map((place) => ({ ...place, connectTimeoutMs, maxResponseBytes }));
  }

  /** True when a call could be answered now. */
  get ready(): boolean {
    return this.table.serving.length > 0 && this.chainId !== null;
  }

  /** Tells a serving side all that is known, and all that changes from now on. */
  join(side: Serving): void {
    this.sides.add(side);
    side.seat(this.seats, 0);
    side.take(this.table);
    if (this.chainId !== null) side.onChainId(this.chainId);
    for (const compared of this.proofs.samples()) side.onCompared(compared);
  }

  leave(side: Serving): void {
    this.sides.delete(side);
  }

  onOutcome(index: number, outcome: Outcome, latencyMs: number, nowMs: number): void {
    if (this.judge.onOutcome(index, outcome, latencyMs, nowMs)) this.parts.pulse.rush(this);
  }

  onUnsupported(index: number, methodIndex: number, nowMs: number): void {
    this.judge.learnUnsupported(index, methodIndex, this.parts.catalog.size, nowMs);
  }

  onPruned(index: number, block: number, nowMs: number): void {
    this.judge.learnPruned(index, block, nowMs);
  }

  onWanted(): void {
    if (this.judge.look(this.parts.world.clock.nowMs())) this.parts.pulse.rush(this);
  }

  onSent(hash: string, index: number): void {
    for (const side of this.sides) side.onSent(hash, index);
  }

  onCompared(compared: Compared): void {
    if (this.proofs.take(compared)) for (const side of this.sides) side.onCompared(compared);
  }

  onFlush(scope: FlushScope): void {
    for (const side of this.sides) side.onFlush(scope);
  }

  /** All configured upstreams, told for people. */
  reports(nowMs: number): readonly UpstreamReport[] {
    return this.judge.snapshot(nowMs).filter(({ index }) => !this.roster.isLeaving(index));
  }

  /** Takes over another configuration of the same chain. What `planReload` keeps for a restart must be as before. */
  apply(config: ChainConfig, maxResponseBytes: number): void {
    const before = this.config;
    const nowMs = this.parts.world.clock.nowMs();
    const reopen =
      config.routing.connectTimeoutMs !== before.routing.connectTimeoutMs ||
      config.health.probeTimeoutMs !== before.health.probeTimeoutMs ||
      maxResponseBytes !== this.maxResponseBytes;
    this.config = config;
    this.maxResponseBytes = maxResponseBytes;
    this.options.take(config);
    this.proofs.needed = config.cache.derive.samples;
    this.roster.apply(config.upstreams, { reopen, nowMs });
    this.tellSeats(Math.max(config.routing.deadlineMs, before.routing.deadlineMs));
    this.beat(nowMs);
  }

  beat(nowMs: number): void {
    this.look(nowMs);
    if (!this.roster.settle(this.table, nowMs)) return;
    this.look(nowMs);
    this.tellSeats(this.config.routing.deadlineMs);
  }

  async close(): Promise<void> {
    this.parts.pulse.remove(this);
    this.follow.close();
    this.sides.clear();
    await this.roster.close();
  }

  private look(nowMs: number): void {
    const before = this.table;
    const { table, events, dueProbes } = this.judge.tick(nowMs);
    for (const event of events) if (event.kind === 'head') this.view.onEvent(event.head);
    if (before !== table) for (const side of this.sides) side.take(table);
    for (const event of events) {
      const fromNumber = event.kind === 'head' ? this.finality.onEvent(event.head, nowMs) : -1;
      if (fromNumber >= 0) this.onFlush({ fromNumber });
    }
    this.firstLook.onTable(this.ready, this.config.upstreams.length);
    for (const event of events) if (event.kind === 'head') this.follow.onEvent(event.head);
    for (const event of events) {
      this.parts.metrics.onJudgeEvent(event);
      tellEvent(this.name, event, this.parts.world.log);
    }
    if (events.length > 0) this.feed(events, nowMs);
    for (const index of dueProbes) this.roster.watch(index)?.probe(this.judge.checkNumbers(index));
  }

  private feed(events: readonly JudgeEvent[], nowMs: number): void {
    const reportOf = (index: number): UpstreamReport | undefined => this.judge.snapshot(nowMs).find((one) => one.index === index);
    for (const event of events) {
      const told = feedEvent(this.name, event, reportOf);
      if (told !== null) this.parts.world.events?.tell(told);
    }
  }

  private tellSeats(graceMs: number): void {
    const { seats } = this;
    for (const side of this.sides) side.seat(seats, graceMs);
  }

  private openRoster(): Roster {
    const { judge } = this;
    const { metrics, catalog } = this.parts;
    return new Roster({
      open: (config, index) => this.open(config, index),
      enlist: (config) => {
        const index = judge.add(judgedUpstream(config, catalog), this.parts.world.clock.nowMs());
        metrics.addUpstream(index, config.name);
        this.tellRoster(config.name, 'added');
        return index;
      },
      revise: (config, index) => judge.configure(index, judgedUpstream(config, catalog)),
      hide: (index) => {
        metrics.removeUpstream(index);
        this.tellRoster(this.roster.watch(index)?.name ?? '', 'removed');
      },
      discharge: (index) => judge.remove(index),
    });
  }

  private tellRoster(upstream: string, what: 'added' | 'removed'): void {
    this.parts.world.events?.tell({ kind: 'roster', data: { chain: this.name, upstream, what } });
  }

  private open(config: UpstreamConfig, index: number): NodeWatch {
    const { world, pulse } = this.parts;
    const listener = {
      onProbe: (result: Parameters<ChainJudge['onProbe']>[1], calls: number) => {
        const nowMs = world.clock.nowMs();
        this.firstLook.onProbed(index);
        if (result.kind === 'ok') {
          for (const side of this.sides) side.onAnswered(index, calls);
          if (result.chainId !== null) this.learnChainId(result.chainId);
        }
        const before = this.judge.heads.headOf(index)?.hash;
        const isUrgent = this.judge.onProbe(index, result, nowMs);
        // a call must not go by a head that the node has left
        if (isUrgent || before !== this.judge.heads.headOf(index)?.hash) pulse.rush(this);
      },
      onHead: (head: Parameters<ChainJudge['onHead']>[1], header: unknown) => {
        this.judge.onHead(index, head, world.clock.nowMs());
        this.follow.onPushed(index, head, header);
        pulse.rush(this);
      },
      blockTimeMs: () => this.judge.heads.blockTimeMs,
    };
    return new NodeWatch(config, this.config, this.maxResponseBytes, { world, listener });
  }

  /** A question of our own for subscribers: it counts against the node's budget, and against nobody's calls. */
  private ask(node: number, question: Question, done: (word: NodeWord) => void): void {
    const watch = this.roster.watch(node);
    if (watch === undefined) {
      queueMicrotask(() => done(null));
      return;
    }
    watch.ask(question, this.config.subscriptions.fetchTimeoutMs, (word) => {
      if (word !== null) for (const side of this.sides) side.onAnswered(node, 1);
      done(word);
    });
  }

  /** The first node that tells its chain id decides it where the config does not. */
  private learnChainId(chainId: number): void {
    if (this.chainId !== null) return;
    this.chainId = chainId;
    this.judge.setChainId(chainId);
    this.parts.world.log.info({ chain: this.name, chainId }, 'chain id learnt from the nodes');
    for (const side of this.sides) side.onChainId(chainId);
  }
}
