import type { Compared } from '../cache/derive/proofs.ts';
import type { FlushScope } from '../cache/store.ts';
import { MethodPolicy } from '../chain/access.ts';
import { Flights } from '../cache/flight.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { StampShape } from '../chain/stamp.ts';
import type { ChainView } from '../chain/view.ts';
import type { ChainConfig } from '../config/schema.ts';
import { blankTable } from '../health/picture.ts';
import type { RouteTable } from '../health/table.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import { affinityKey } from '../route/affinity.ts';
import type { AttemptOptions } from '../route/attemptPort.ts';
import type { RankAsk } from '../route/flaws.ts';
import { LoadBook } from '../route/loadBook.ts';
import { Ranker } from '../route/rank.ts';
import { RetryBudget } from '../route/retryBudget.ts';
import { SpareCandidates } from '../route/spare.ts';
import { requestMiddle, requestOf } from '../rpc/envelope.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { HeaderBook } from './answers.ts';
import { ChainSubs } from './chainSubs.ts';
import type { ChainSubsParts } from './chainSubs.ts';
import { ChainOptions } from './chainOptions.ts';
import { ChainCache } from './chainCache.ts';
import { Dues } from './dues.ts';
import type { Due } from './dues.ts';
import type { CallFlights } from './landing.ts';
import { Glance } from './glance.ts';
import type { FilterDesk } from './filters/desk.ts';
import { ChainLogs } from './logs/chainLogs.ts';
import { Slots } from './logs/slots.ts';
import type { Judging, Seat, Serving } from './judging.ts';
import { UpstreamNode } from './node.ts';
import type { GatewayWorld } from './node.ts';
import { NodeSet } from './nodes.ts';
import { RecentHashes } from './recent.ts';
import { RoomLine } from './roomLine.ts';
import { Sends } from './sends.ts';
import type { SendDesk } from './sharedSends.ts';
import { stampShapes } from './stamps.ts';
import { Tip } from './tip.ts';
import { UnderwaySet } from './underway.ts';

/** Transaction hashes sent through this edge that are remembered. */
const RECENT_HASHES = 20_000;

/** What a chain shares with the others of its process, and the judging side that it follows. */
export interface ChainParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  readonly metrics: ChainMetrics;
  /** Is told what came of calls. */
  readonly judging: Judging;
  /** The trusted chain as the judging side sees it. */
  readonly view: ChainView;
  /** Part of each node's budget that is this process's, above 0 to 1; 1 by default. */
  readonly budgetShare?: number;
  readonly subs: Pick<ChainSubsParts, 'publisher' | 'webSocket' | 'feed'>;
  /** Where filters are kept. */
  readonly filters: FilterDesk;
  /** What was sent through other processes; absent = there are none. */
  readonly sends?: SendDesk;
}

/** A call under way, to be told when nodes leave service. */
export interface Underway extends Due {
  onLeft(indices: readonly number[]): void;
}

/** The serving side of one chain: its nodes as calls reach them, and the route table of the moment. Judges nobody itself. */
export class ChainRuntime implements Serving {
  readonly name: string;
  /** As it is in force now. */
  config: ChainConfig;
  policy: MethodPolicy;
  ranker: Ranker;
  readonly book: LoadBook;
  readonly recent = new RecentHashes(RECENT_HASHES);
  readonly metrics: ChainMetrics;
  readonly judging: Judging;
  /** Swapped whole at each change. */
  table: RouteTable;
  chainId: number | null = null;
  /** The chain as clients of this process may see it. */
  readonly view: ChainView;
  /** The view as requests take it, and who waits for it. */
  readonly tip: Tip;
  /** By index of the method, where its results name their block; null = they do not. */
  readonly stamps: readonly (StampShape | null)[];
  /** Subscriptions of clients. */
  readonly subs: ChainSubs;
  /** Headers of its answers. */
  readonly headers = new HeaderBook();
  /** Knows requests for stored answers by their bytes. */
  readonly glance: Glance;
  /** Answers that are kept. */
  readonly cache: ChainCache;
  /** Transactions that went through this edge. */
  readonly sends: Sends;
  /** Traces and debug calls under way. */
  readonly heavy: Slots;
  /** Calls for which no node has a place. */
  readonly room: RoomLine;
  /** Filters of clients. */
  readonly filters: FilterDesk;
  /** What log queries share. */
  readonly logs: ChainLogs;
  /** Calls under way. */
  readonly running = new UnderwaySet<Underway>();
  /** When they hedge, retry and give up. */
  readonly dues: Dues;
  /** What all attempt machines of the chain share. */
  readonly attempts: { readonly options: AttemptOptions; budget: RetryBudget; readonly book: LoadBook };
  /** Refilled for each call. */
  readonly ask: RankAsk = { keyHash: 0, affine: true, nowMs: 0, requiredBlock: -1, trustedBlock: -1, racedHash: '', stateBlock: -1 };
  /** Equal calls under way as one. */
  readonly flights: CallFlights;
  /** Arrays that a call's candidates are ranked into. */
  readonly spare = new SpareCandidates();
  /** What is the same in all requests for a method, by its index. */
  private readonly middles: readonly string[];
  private refusedRetries = 0;
  private readonly parts: ChainParts;
  private readonly options: ChainOptions;
  private readonly nodes: NodeSet;

  constructor(config: ChainConfig, parts: ChainParts) {
    this.name = config.name;
    this.config = config;
    this.parts = parts;
    this.metrics = parts.metrics;
    this.judging = parts.judging;
    this.view = parts.view;
    this.dues = new Dues(this.running, parts.world);
    this.tip = new Tip({
      view: parts.view,
      world: parts.world,
      hasten: () => parts.judging.onWanted(),
      onWaited: (outcome) => parts.metrics.view.onWaited(outcome),
    });
    this.stamps = stampShapes(parts.catalog);
    this.policy = new MethodPolicy(parts.catalog, config.methods);
    this.book = new LoadBook(config.upstreams.length);
    this.ranker = new Ranker(this.book, config.routing.boundedLoad);
    this.options = new ChainOptions(config);
    this.attempts = { options: this.options.attempt, budget: new RetryBudget(config.routing.retryBudget), book: this.book };
    this.flights = new Flights(config.coalescing);
    this.table = blankTable(config.name);
    this.middles = parts.catalog.specs().map(({ name }) => requestMiddle(name));
    const { world, catalog, metrics } = parts;
    const { clock, timers, random, log } = world;
    this.glance = new Glance(config.cache.memo);
    this.cache = new ChainCache(config.cache, { name: config.name, tier: world.tier ?? null, chainId: () => this.chainId, catalog, view: parts.view, clock, timers, random, log, reorgDepth: config.health.trustedHead.reorgDepth, metrics: metrics.cache, node: (index) => this.node(index), onCompared: (compared) => parts.judging.onCompared(compared) });
    this.logs = new ChainLogs(config.logs, this);
    this.filters = parts.filters;
    this.sends = new Sends(this, parts.sends ?? null);
    this.heavy = new Slots(config.routing.heavy.maxInFlight);
    this.room = new RoomLine({ timers, hasPlace: (index) => this.book.inFlight(index) < (this.table.entries[index]?.maxInFlight ?? 0) });
    this.book.onEnded = (index) => this.room.onEnded(index);
    this.nodes = new NodeSet((seat) => new UpstreamNode(seat, { world, metrics, methods: catalog.size }));
    this.subs = new ChainSubs(config.subscriptions, { ...parts.subs, world, metrics: metrics.subs, view: parts.view });
  }

  get budget(): RetryBudget {
    return this.attempts.budget;
  }

  private get budgetShare(): number {
    return this.parts.budgetShare ?? 1;
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

  /** The request for a call, as nodes get it. */
  request(id: number, { name, index }: MethodSpec, method: string, paramsRaw: string): string {
    return requestOf(id, name === method ? (this.middles[index] as string) : requestMiddle(method), paramsRaw);
  }

  node(index: number): UpstreamNode | undefined {
    return this.nodes.at(index);
  }

  seat(seats: readonly Seat[], graceMs: number): void {
    this.nodes.seat(seats, graceMs);
    for (const { index, config } of seats) this.book.budgets.configure(index, config.budget, this.budgetShare);
  }

  take(table: RouteTable): void {
    const { serving } = this.table;
    this.table = table;
    this.cache.take(table);
    this.logs.take(table);
    const left = serving.filter((index) => !table.serving.includes(index));
    if (left.length > 0) for (const run of this.running.snapshot()) run.onLeft(left);
    this.tip.onMoved();
  }

  onAnswered(index: number, calls = 1): void {
    this.book.answered(index);
    this.book.budgets.onProbe(index, calls * this.budgetShare, this.parts.world.clock.nowMs());
  }

  onFlush(scope: FlushScope): void {
    this.cache.flush(scope);
    this.logs.flush();
  }

  onCompared(compared: Compared): void {
    this.cache.deriver.take(compared);
  }

  onSent(hash: string, index: number): void {
    this.recent.add(hash);
    this.sends.book.onTaken(hash, index);
  }

  onChainId(chainId: number): void {
    if (this.chainId === chainId) return;
    this.chainId = chainId;
    this.onPaths();
  }

  /** Called when the chain id becomes known, which is part of a path. */
  onPaths: () => void = () => undefined;

  /**
   * Takes over another configuration of the same chain without dropping a call; its nodes come by `seat`. What
   * `planReload` keeps for a restart must be as before.
   */
  apply(config: ChainConfig): void {
    const { boundedLoad, retryBudget } = config.routing;
    const before = this.config.routing;
    this.config = config;
    this.flights.limits = config.coalescing;
    this.policy = new MethodPolicy(this.catalog, config.methods);
    this.options.take(config);
    this.cache.apply(config.cache);
    this.glance.setLimits(config.cache.memo);
    this.logs.apply(config.logs);
    this.heavy.max = config.routing.heavy.maxInFlight;
    if (boundedLoad !== before.boundedLoad) this.ranker = new Ranker(this.book, boundedLoad);
    if (retryBudget.percent !== before.retryBudget.percent || retryBudget.reservePerS !== before.retryBudget.reservePerS) {
      this.countRefusedRetries();
      this.attempts.budget = new RetryBudget(retryBudget);
      this.refusedRetries = 0;
    }
  }

  /** Counts what the retry budget refused since the last time. */
  countRefusedRetries(): void {
    for (; this.refusedRetries < this.budget.refused; this.refusedRetries++) this.metrics.onRetryBudgetExhausted();
  }

  async close(graceMs: number): Promise<void> {
    this.subs.close();
    await this.nodes.close(graceMs);
  }
}
