import type { Clock, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { AskMemo } from '../cache/askMemo.ts';
import type { Compared } from '../cache/derive/proofs.ts';
import { holds } from '../cache/entry.ts';
import type { Entry } from '../cache/entry.ts';
import { KeyReader } from '../cache/key.ts';
import { PlanBook } from '../cache/planBook.ts';
import { askOf } from '../cache/rule.ts';
import type { CallAsk } from '../cache/rule.ts';
import { CacheStore } from '../cache/store.ts';
import type { FlushScope } from '../cache/store.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { ChainView } from '../chain/view.ts';
import type { ChainCacheConfig } from '../config/schema.ts';
import type { RouteTable } from '../health/table.ts';
import type { Logger } from '../observe/log.ts';
import type { CacheMetrics } from '../observe/cacheMetrics.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { CacheKeep } from './cacheKeep.ts';
import type { KeepHost } from './cacheKeep.ts';
import { Confirmer } from './confirmer.ts';
import { Deriver } from './deriver.ts';
import { DiskTier } from './diskTier.ts';
import type { SecondTier } from './secondTier.ts';
import { HashSupport } from './hashSupport.ts';
import type { UpstreamNode } from './node.ts';
import { SideCalls } from './sideCalls.ts';
import { Verifier } from './verifier.ts';

/** What the cache of a chain stands on. */
export interface CacheParts {
  /** Name of the chain in the config. */
  readonly name: string;
  /** What is final goes here too; null = there is none. */
  readonly tier: SecondTier | null;
  readonly catalog: Catalog;
  readonly view: ChainView;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly metrics: CacheMetrics;
  readonly random: Random;
  /** Newest blocks whose trusted hashes the view keeps. */
  readonly reorgDepth: number;
  readonly log: Logger;
  node(index: number): UpstreamNode | undefined;
  chainId(): number | null;
  /** A derived answer was compared: all processes that serve the chain are to know. */
  onCompared(compared: Compared): void;
}

/** Stored answers of one chain, as its serving side uses them. */
export class ChainCache implements KeepHost {
  readonly view: ChainView;
  readonly clock: Clock;
  readonly confirmer: Confirmer;
  readonly hashes: HashSupport;
  /** Grows with each flush: what was asked before it is not stored after it. */
  generation = 0;
  readonly verifier: Verifier;
  readonly deriver: Deriver;
  readonly #disk: DiskTier | null;
  readonly #parts: CacheParts;
  readonly #reader = new KeyReader();
  readonly #memo: AskMemo;
  #enabled: boolean;
  #plans: PlanBook;
  #store: CacheStore;
  #limits: string;
  #agreed: readonly number[] = [];
  #serving: readonly number[] = [];
  #clients: readonly string[] = [];

  constructor(config: ChainCacheConfig, parts: CacheParts) {
    const { view, clock, timers, metrics } = parts;
    const calls = new SideCalls(parts);
    this.#parts = parts;
    this.view = view;
    this.clock = clock;
    this.confirmer = new Confirmer(view, calls, timers);
    this.hashes = new HashSupport(view, calls, clock);
    this.verifier = new Verifier({ host: this, calls, metrics, random: parts.random, log: parts.log, serving: () => this.#serving, differs: (entry) => this.deriver.onDiffers(entry) });
    this.verifier.share = config.verifySample;
    const { name, tier } = parts;
    const disk = { name, view, calls, clock, tally: metrics.disk, chainId: () => parts.chainId(), node: () => this.#nodeAtHead() };
    this.#disk = tier === null ? null : new DiskTier({ ...disk, tier });
    this.#memo = new AskMemo(config.memo.maxCalls);
    this.#enabled = config.enabled;
    this.#plans = new PlanBook(parts.catalog, config.methods);
    this.#store = new CacheStore(config, metrics.memory);
    this.#store.epoch = view.epoch;
    this.#limits = limitsOf(config);
    const source = (key: string): Entry | null => this.#store.source(key);
    this.deriver = new Deriver(config.derive, {
      name, view, clock, calls, metrics, random: parts.random, log: parts.log, confirmer: this.confirmer,
      shelf: { source },
      serving: () => this.#serving,
      agreed: (index) => this.agreed(index),
      clientOf: (index) => this.#clients[index] ?? '',
      tell: (compared) => parts.onCompared(compared),
    });
  }

  /** Keys a call and resolves it by the chain as whoever calls sees it; null where its answer is not to be stored, shared or looked up. */
  ask(call: ScannedCall, spec: MethodSpec, vantage: ChainView): CallAsk | null {
    return this.#enabled ? this.resolve(call, spec, vantage) : null;
  }

  /** Keys a call and resolves it, also while nothing is stored; null where its answer is not to be shared. */
  resolve(call: ScannedCall, spec: MethodSpec, vantage: ChainView): CallAsk | null {
    const plan = this.#plans.of(spec, call.method);
    if (plan === null) return null;
    const known = this.#memo.get(plan, call.paramsRaw, vantage);
    if (known !== undefined) return known;
    const ask = askOf(plan, call.paramsRaw, this.#sight(vantage), this.#reader);
    return ask.class === 'never' ? null : ask;
  }

  /** The stored answer to a call as whoever calls sees the chain, or null. */
  find(ask: CallAsk, call: ScannedCall, vantage: ChainView): Entry | null {
    this.sync();
    // a reorg has overtaken the call: it begins anew
    if (vantage.epoch !== this.view.epoch) return null;
    const sight = this.#sight(vantage);
    const entry = this.#store.get(ask, sight, this.clock.nowMs());
    if (entry === null) return this.#fromDisk(ask, sight) ?? this.deriver.find(ask, call, sight);
    if (sight === vantage && this.#memo.get(ask.plan, call.paramsRaw, vantage) === undefined && call.paramsRaw.length <= MAX_MEMO_CHARS) {
      this.#memo.put(ask, ownText(call.paramsRaw), vantage);
    }
    if (this.#disk !== null && entry.class === 'unfinalized' && entry.number <= (sight.finalized?.number ?? -1)) this.put({ ...entry, class: 'finalized' });
    return entry;
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Whether `find` would find an answer in memory; counts nothing. */
  holds(ask: CallAsk, vantage: ChainView): boolean {
    this.sync();
    return vantage.epoch === this.view.epoch && this.#store.holds(ask, this.#sight(vantage), this.clock.nowMs());
  }

  keep(ask: CallAsk): CacheKeep {
    return new CacheKeep(this, ask);
  }

  fits(ask: CallAsk, valueBytes: number): boolean {
    return this.#store.fits(ask.key, valueBytes);
  }

  put(entry: Entry): void {
    const kept = { ...entry, key: ownText(entry.key) };
    this.#store.put(kept);
    this.deriver.onStored(kept);
    this.#disk?.put(entry);
  }

  clientFor(ask: CallAsk, index: number): string {
    return this.deriver.clientFor(ask.key, index);
  }

  #fromDisk(ask: CallAsk, sight: ChainView): Entry | null {
    const entry = this.#disk?.get(ask) ?? null;
    if (entry === null || !holds(entry, ask, sight, this.clock.nowMs())) return null;
    this.#disk?.onHit(entry);
    this.#store.put(entry);
    return entry;
  }

  /** The chain as whoever calls sees it; before the first agreement, as it was when its answers were written to disk. */
  #sight(vantage: ChainView): ChainView {
    return vantage.head === null ? (this.#disk?.past ?? vantage) : vantage;
  }

  #nodeAtHead(): number {
    const top = this.view.head?.number ?? -1;
    return this.#serving.find((index) => this.agreed(index) >= top) ?? -1;
  }

  /** Height of a block that is among the newest trusted ones or is told by a stored answer; -1 = neither. @param hash lower case */
  heightOf(hash: string): number {
    const { view } = this;
    let at = view.head?.number ?? -1;
    for (const lowest = at - this.#parts.reorgDepth; at > lowest && at >= 0; at--) if (view.hashAt(at) === hash) return at;
    return this.deriver.heightOf(hash);
  }

  /** Highest height at which the node's word equals the trusted chain, as known now; -1 = none. */
  agreed(index: number): number {
    return this.#agreed[index] ?? -1;
  }

  take(table: RouteTable): void {
    this.#agreed = table.entries.map((entry) => entry.agreedNumber);
    this.#serving = table.serving;
    this.#clients = table.entries.map(({ client }) => client);
    this.hashes.onTable(table);
    this.sync();
    this.#disk?.look();
  }

  /** Drops what a reorg has voided. */
  sync(): void {
    const { epoch } = this.view;
    if (epoch === this.#store.epoch) return;
    const { entries, heights } = this.#store.sync(this.view);
    this.#parts.metrics.onReorg(entries, heights);
  }

  /** Drops what an operator, a broken finality or a change of a development chain makes void. @returns how many entries */
  flush(scope: FlushScope): number {
    this.generation++;
    this.#parts.metrics.onFlush();
    this.#disk?.flush(scope);
    this.deriver.reset();
    return this.#store.flush(scope);
  }

  /** Takes over another configuration; smaller or larger limits start with an empty store. */
  apply(config: ChainCacheConfig): void {
    this.#enabled = config.enabled;
    this.verifier.share = config.verifySample;
    this.deriver.apply(config.derive);
    this.#memo.clear();
    this.#memo.maxCalls = config.memo.maxCalls;
    this.#plans = new PlanBook(this.#parts.catalog, config.methods);
    if (limitsOf(config) === this.#limits && config.enabled) return;
    this.#limits = limitsOf(config);
    this.#store.flush({});
    this.#store = new CacheStore(config, this.#parts.metrics.memory);
    this.#store.epoch = this.view.epoch;
    this.generation++;
  }
}

/** Longer params are keyed each time. */
const MAX_MEMO_CHARS = 2048;

const limitsOf = ({ maxBytes, maxEntryBytes }: ChainCacheConfig): string => `${maxBytes}/${maxEntryBytes}`;

/** A text that keeps no longer one alive. */
const ownText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');
