import { blockRefOf } from '../chain/blockref.ts';
import type { BlockRef } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { Outcome } from '../chain/outcome.ts';
import { pinHeight, pinTags } from '../chain/pin.ts';
import { sightOf } from '../chain/sight.ts';
import type { ChainView } from '../chain/view.ts';
import type { Sight } from '../chain/sight.ts';
import { blockNumberIn, standingOf } from '../chain/stamp.ts';
import type { RouteEntry, RouteTable } from '../route/table.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { NodeAnswer } from './attemptSink.ts';
import type { ChainRuntime } from './chain.ts';
import type { Vantage } from './vantage.ts';

/** An answer of a block that is not on the trusted branch: no fault that is counted, another node may know better. */
export const OFF_BRANCH: Outcome = Object.freeze({ class: 'missingData', retry: 'other', blame: false, unsent: false, holdMs: 0 });

/**
 * What an answer is worth to whoever sees the trusted branch. `ahead`: of a block above the trusted head. `off`: of a block
 * of another branch, or null for a block that is there.
 */
export type Worth = 'good' | 'ahead' | 'off';

/** One call in the light of the chain that its client sees: which nodes will do, how it is sent to each, which answers count. */
export class CallView {
  readonly ref: BlockRef;
  readonly sight: Sight;
  /** An answer was of a block above the head that the request began with. */
  raised = false;
  private readonly chain: ChainRuntime;
  private readonly spec: MethodSpec;
  private readonly call: ScannedCall;
  private readonly vantage: Vantage;
  private readonly inBatch: boolean;
  private pinned: string | null = null;

  constructor(chain: ChainRuntime, spec: MethodSpec, call: ScannedCall, whose: { readonly vantage: Vantage; readonly inBatch: boolean }) {
    this.chain = chain;
    this.spec = spec;
    this.call = call;
    this.ref = blockRefOf(spec, call.paramsRaw);
    this.vantage = whose.vantage;
    this.inBatch = whose.inBatch;
    this.sight = sightOf(spec, this.ref, whose.vantage.number, whose.vantage.finalized?.number ?? -1);
  }

  /** Hash of the head that nodes must have told of where it is not trusted yet; '' = it is. */
  get racedHash(): string {
    return this.vantage.raced;
  }

  /** Whether the node's word equals the trusted chain's up to where the call needs it, or it is where its client's raced head came from. */
  stands(entry: RouteEntry | undefined): boolean {
    if (entry === undefined) return false;
    return entry.agreedNumber >= this.sight.trustedBlock || (this.racedHash !== '' && entry.headHash === this.racedHash);
  }

  /** Height of a block by its hash, where the call reads its state and some node does not have all of them; -1 = not known, or no matter. */
  stateHeight(hash: string): number {
    const { spec, chain } = this;
    const isAnyPoor = spec.readsState && chain.table.entries.some(({ stateFloor, lowestState }) => stateFloor > 0 || lowestState > 0);
    return isAnyPoor ? chain.cache.heightOf(hash) : -1;
  }

  /** Whether a block above the trusted head is asked for that some node has told of. */
  isTold(table: RouteTable): boolean {
    const { ahead } = this.sight;
    return ahead >= 0 && table.serving.some((index) => (table.entries[index]?.headNumber ?? -1) >= ahead);
  }

  /** The params as this node gets them. @param kept as the cache wants them, null = as they are; nothing is more exact than `always` */
  paramsFor(entry: RouteEntry | undefined, nowMs: number, kept: string | null): string {
    const { paramsRaw } = this.call;
    const { pinning } = this.chain.config.view;
    if (kept !== null && pinning !== 'always') return kept;
    if (pinning === 'never' || this.sight.trustedBlock < 0) return paramsRaw;
    if (pinning === 'auto' && !this.inBatch && this.standsAtHead(entry, nowMs)) return paramsRaw;
    this.pinned ??= this.pin(pinning === 'always');
    if (this.pinned !== paramsRaw) this.chain.metrics.view.onEvent('pinned');
    return this.pinned;
  }

  /** What an answer with a result is worth against the branch that is trusted now. */
  worth(answer: NodeAnswer): Worth {
    const shape = this.chain.stamps[this.spec.index] ?? null;
    if (shape === null || answer.split.kind !== 'result') return 'good';
    if (answer.isNull) return shape !== 'item' && this.mustBeThere ? 'off' : 'good';
    const { body, split } = answer;
    const result = { bytes: body, start: split.start, end: split.end };
    const standing = standingOf(shape, result, this.counted);
    if (standing === 'ahead') return 'ahead';
    if (standing === 'forked') return 'off';
    if (standing !== 'none' && blockNumberIn(shape, result) > this.vantage.number) this.raised = true;
    return 'good';
  }

  /** A block that is asked for by its hash and is on another branch is not there, as far as the client's chain goes. */
  get isAbsentOff(): boolean {
    return this.ref.kind === 'hash' && this.spec.nullMeansAbsent;
  }

  /** Whether the block asked for is one that the trusted chain has, so near its head that every node must have it too. */
  get mustBeThere(): boolean {
    const { ref } = this;
    if (ref.kind === 'tag') return ref.tag === 'latest' || ref.tag === 'finalized';
    return ref.kind === 'number' && this.counted.hashAt(ref.number) !== '';
  }

  /** The branch that answers must be of: the trusted one as it is now, under a raced head until one of its height is trusted. */
  private get counted(): ChainView {
    const { view } = this.chain;
    return this.racedHash !== '' && (view.head?.number ?? -1) < this.vantage.number ? this.vantage : view;
  }

  /** How the block is written into the params where that is needed, for people; '' = it is not. */
  get pinText(): string {
    const pinned = this.pin(this.chain.config.view.pinning === 'always');
    return pinned === this.call.paramsRaw ? '' : pinned;
  }

  private pin(byHash: boolean): string {
    const { head, finalized } = this.vantage;
    const { paramsRaw } = this.call;
    if (this.sight.named >= 0) {
      const named = byHash ? this.chain.view.hashAt(this.sight.named) : '';
      return named === '' ? paramsRaw : pinHeight(this.spec, paramsRaw, named);
    }
    return head === null ? paramsRaw : pinTags(this.spec, paramsRaw, { latest: head, finalized }, byHash ? 'hash' : 'number');
  }

  /**
   * Whether `latest` means the trusted head to this node: it was there at its last word, and its next block is not due
   * yet. What is finalized nobody knows of a single node.
   */
  private standsAtHead(entry: RouteEntry | undefined, nowMs: number): boolean {
    if (this.ref.kind === 'tag' && this.ref.tag !== 'latest') return false;
    if (this.ref.kind === 'range' && [this.ref.from, this.ref.to].some((point) => point.kind === 'tag' && point.tag !== 'latest')) return false;
    return entry?.headHash === this.vantage.head?.hash && 2 * (nowMs - this.vantage.sinceMs) < this.chain.view.blockTimeMs;
  }

}
