import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { askAt } from '../cache/byHash.ts';
import { Proofs } from '../cache/derive/proofs.ts';
import type { Compared, Pair } from '../cache/derive/proofs.ts';
import { Sources, isSource } from '../cache/derive/sources.ts';
import type { Shelf } from '../cache/derive/sources.ts';
import { derive, isTarget } from '../cache/derive/targets.ts';
import type { Derived } from '../cache/derive/targets.ts';
import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import { sameJson } from '../cache/sameJson.ts';
import type { ChainView } from '../chain/view.ts';
import type { ChainCacheConfig } from '../config/schema.ts';
import type { CacheMetrics } from '../observe/cacheMetrics.ts';
import type { Logger } from '../observe/log.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { Confirmer } from './confirmer.ts';
import type { SideCalls, SideReply } from './sideCalls.ts';

export type DeriveConfig = ChainCacheConfig['derive'];

/** What deriving stands on. */
export interface DeriveParts {
  /** Name of the chain in the config. */
  readonly name: string;
  readonly shelf: Shelf;
  readonly view: ChainView;
  readonly clock: Clock;
  readonly random: Random;
  readonly calls: SideCalls;
  readonly confirmer: Confirmer;
  readonly metrics: CacheMetrics;
  readonly log: Logger;
  /** Indices of nodes that serve now. */
  serving(): readonly number[];
  /** Highest height at which the node's word equals the trusted chain. */
  agreed(index: number): number;
  /** `web3_clientVersion` of a node; '' = not known. */
  clientOf(index: number): string;
  /** A comparison, for all processes that serve the chain. */
  tell(compared: Compared): void;
}

/** Comparisons under way at once. */
const MAX_UNDER_WAY = 4;

/**
 * Answers calls from other stored answers: a transaction from its block, a receipt from those of its block, and the like. Of a
 * client version it does so once samples have shown that the node itself says the same; until then, now and then after, it
 * asks a node beside the call. It serves only where that holds for every node that might have been asked.
 */
export class Deriver {
  readonly proofs: Proofs;
  private readonly parts: DeriveParts;
  private config: DeriveConfig;
  private sources: Sources;
  private readonly underWay = new Set<string>();
  /** What the answers that were given are made of. */
  private readonly given = new WeakMap<Entry, Derived>();

  constructor(config: DeriveConfig, parts: DeriveParts) {
    this.parts = parts;
    this.config = config;
    this.proofs = new Proofs(config.samples);
    this.sources = new Sources(parts.shelf, config.maxTransactions);
  }

  apply(config: DeriveConfig): void {
    this.config = config;
    this.proofs.needed = config.samples;
    this.sources.index.max = config.maxTransactions;
  }

  /** The client to be noted with an answer that is stored; '' = nothing is derived from it. */
  clientFor(key: string, index: number): string {
    return this.config.mode === 'off' || !isSource(key) ? '' : this.parts.clientOf(index);
  }

  onStored(entry: Entry): void {
    if (entry.client !== undefined && this.config.mode !== 'off') this.sources.onStored(entry);
  }

  /** Height of a stored block by its hash; -1 = not known. */
  heightOf(hash: string): number {
    return this.sources.index.block(hash)?.number ?? -1;
  }

  /** Everything that was stored is gone. */
  reset(): void {
    this.sources = new Sources(this.parts.shelf, this.config.maxTransactions);
  }

  /** An answer made of others, as whoever calls sees the chain; null = there is none that may be used. */
  find(ask: CallAsk, call: ScannedCall, sight: ChainView): Entry | null {
    if (this.config.mode === 'off' || !isTarget(ask.plan.method)) return null;
    for (const each of derive(this.sources, { ask, sight, nowMs: this.parts.clock.nowMs() })) {
      const isProven = this.isProven(each);
      if (!isProven || this.parts.random() < this.config.recheckSample) this.sample(each, ask, { call, recheck: isProven });
      if (!isProven) continue;
      this.parts.metrics.onDerived();
      const { number, hash, askedMs, class: finality } = each.from;
      const entry: Entry = { key: ask.key, value: each.value, isError: false, bond: 'block', number, hash, askedMs, class: finality };
      this.given.set(entry, each);
      return entry;
    }
    return null;
  }

  /** An answer that was given differs from what a node says. */
  onDiffers(entry: Entry): void {
    const derived = this.given.get(entry);
    if (derived !== undefined) this.conclude(derived, entry.key, false);
  }

  /** A comparison, made here or elsewhere. */
  take(compared: Compared): void {
    this.proofs.take(compared);
  }

  /** For all nodes that could be asked, and the one whose answer this is made of. */
  private isProven(derived: Derived): boolean {
    const { proofs, parts } = this;
    const { client, trait } = derived;
    return proofs.isOn(derived, client, trait) && parts.serving().every((index) => proofs.isOn(derived, parts.clientOf(index), trait));
  }

  /** Asks a node of the client that the answer is made of for its own. */
  private sample(derived: Derived, ask: CallAsk, { call, recheck }: { readonly call: ScannedCall; readonly recheck: boolean }): void {
    const { parts, proofs, underWay } = this;
    const { client, trait, from } = derived;
    const name = `${derived.source} ${client} ${ask.key}`;
    if (underWay.size >= MAX_UNDER_WAY || underWay.has(name)) return;
    if (!recheck && !proofs.wants(derived, client, { trait, key: ask.key })) return;
    const node = parts.serving().find((index) => parts.clientOf(index) === client && parts.agreed(index) >= from.number);
    const wording = node === undefined ? null : askAt(ask, from, call.paramsRaw, false);
    if (node === undefined || wording === null) return;
    underWay.add(name);
    parts.calls.ask('derive', node, [call.method, wording], (reply) => {
      underWay.delete(name);
      // it may have become another client meanwhile
      if (parts.clientOf(node) === client) this.judge(derived, ask.key, { reply, node });
    });
  }

  /** A node that fails, or does not find the thing, says nothing about its form. */
  private judge(derived: Derived, key: string, { reply, node }: { readonly reply: SideReply; readonly node: number }): void {
    if (reply.kind !== 'result') return;
    const own = reply.body.subarray(reply.start, reply.end);
    if (own.equals(NULL)) return;
    if (sameJson(own, derived.value)) return this.conclude(derived, key, true);
    const { number, hash } = derived.from;
    const { view, confirmer } = this.parts;
    const differs = (): void => this.conclude(derived, key, false);
    const isFinal = view.finalized !== null && number <= view.finalized.number;
    // asked by number, it may just have gone to another branch: it is to say that it has not
    if (isFinal) differs();
    else confirmer.confirm(node, number, () => view.hashAt(number) === hash && differs());
  }

  private conclude({ source, target, client, trait }: Derived, key: string, same: boolean): void {
    const { parts, proofs } = this;
    const compared: Compared = { source, target, client, trait, key, same };
    parts.metrics.onSampled(same);
    const wasOn = this.knows(compared);
    if (!proofs.take(compared)) return;
    parts.tell(compared);
    const about = { chain: parts.name, client, source, target };
    if (!same) parts.log.warn({ ...about, key }, 'an answer made of another one differs from the node\'s own: none of this kind are used any more for this client');
    else if (!wasOn && this.knows(compared)) parts.log.info(about, 'answers made of other ones equal the node\'s own: they are used from now on');
  }

  private knows(compared: Compared): boolean {
    return this.proofs.isOn(compared satisfies Pair, compared.client, compared.trait);
  }
}

const NULL = Buffer.from('null');
