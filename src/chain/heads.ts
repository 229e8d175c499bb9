import { BlockTime } from './blockTime.ts';
import type { BlockMark, Head } from './head.ts';
import type { Agreed, Need } from './headsAgree.ts';
import { bestAgreed, commonHeight } from './headsAgree.ts';
import { TrustedChain } from './headsChain.ts';
import { FinalDoubt } from './headsDoubt.ts';
import { agreedFinal } from './headsFinal.ts';
import type { HeadEvent, HeadOptions } from './headsOptions.ts';
import { gatherPanel, needOf } from './headsPanel.ts';
import type { Panel } from './headsPanel.ts';
import { NodeView } from './headsView.ts';

/** How long the first agreement waits for nodes that have not answered yet. */
const START_MS = 2000;

/**
 * The head of one chain, agreed across its nodes.
 *
 * Three or more nodes: the highest block that a majority of those that answer has reached, none of that majority denying
 * it and two telling its very hash. One liar can neither push it up, nor pick its hash, nor hold it back.
 * Two nodes: the lower of two linked heads; when one sleeps for `stallMs` while the other moves on, the word of the other
 * counts alone, as far as the velocity limit goes. One node: its word, within the velocity limit.
 * Nodes on another branch do not count for a step up. Where a majority sleeps, those awake decide, if a third of all agree.
 *
 * Velocity: a step may be `maxStep` blocks plus twice what the time since the last step explains. A greater one is
 * believed only after an agreement without leave for sleepers has lasted `stallMs` (six times that for a lone node): a
 * chain that catches up.
 *
 * It falls only when a quorum of those awake denies it: each tells another hash at a height of the trusted branch, or has
 * gone back below the head it once had and stayed there for `stallMs`. Finalized never falls, except when such a
 * quorum denies a finalized block (a rewound development chain): the event says so.
 *
 * A head that only one node ever stood by can be put right by a quorum that stands elsewhere, at the pace of a chain.
 */
export class HeadTracker {
  readonly #options: HeadOptions;
  readonly #views = new Map<number, NodeView>();
  readonly #chain: TrustedChain;
  readonly #blockTime: BlockTime;
  readonly #doubt: FinalDoubt;
  #expected = 0;
  #firstWordMs = -1;
  #jumpSinceMs = -1;
  #alone = true;
  #apartSinceMs = -1;
  #apartFrom = -1;
  #halted = false;
  #asked = -1;
  /** What the tick under way has to tell. */
  #events: HeadEvent[] = [];

  constructor(options: HeadOptions) {
    this.#options = options;
    this.#chain = new TrustedChain(options.reorgDepth);
    this.#blockTime = new BlockTime(options.blockTimeMs);
    this.#doubt = new FinalDoubt(options);
  }

  /** How many nodes answer or may soon answer. Before the first agreement, it waits for them a little. */
  expect(nodes: number): void {
    this.#expected = nodes;
  }

  onHead(upstream: number, head: Head, nowMs: number): void {
    if (this.#firstWordMs < 0) this.#firstWordMs = nowMs;
    const view = this.#views.get(upstream);
    if (view === undefined) this.#views.set(upstream, new NodeView(upstream, head, this.#options.reorgDepth, nowMs));
    else view.observe(head, nowMs);
  }

  /** The node's hash at a height that `checkNumbers` asked about. */
  onMark(upstream: number, mark: BlockMark): void {
    this.#views.get(upstream)?.mark(mark);
  }

  /** The node's finalized block. Ignored before its first head. */
  onFinalized(upstream: number, mark: BlockMark): void {
    const view = this.#views.get(upstream);
    if (view === undefined || mark.number > view.number) return;
    view.finalized = mark;
    view.finals.set(mark.number, mark.hash);
  }

  /** A node that doubts itself (it says that it is syncing) speaks only when all do. */
  mute(upstream: number, muted: boolean): void {
    const view = this.#views.get(upstream);
    if (view !== undefined) view.muted = muted;
  }

  /** The node is gone, down or on another chain: its word counts no more. */
  forget(upstream: number): void {
    this.#views.delete(upstream);
  }

  trusted(): Head | null {
    return this.#chain.head;
  }

  finalized(): BlockMark | null {
    return this.#chain.finalized;
  }

  /** Hash of the trusted chain at `number`; '' = not known. */
  hashAt(number: number): string {
    return this.#chain.hashAt(number);
  }

  /** When the trusted head reached `number`. */
  reachedAtMs(number: number): number {
    return this.#chain.reachedAtMs(number);
  }

  /** Block time in ms; 0 = not known yet. */
  get blockTimeMs(): number {
    return this.#blockTime.ms;
  }

  /** Time after which a node that does not follow counts as asleep: max(2 block times, 5 s). */
  get stallMs(): number {
    return Math.max(2 * this.#blockTime.ms, 5000);
  }

  get halted(): boolean {
    return this.#halted;
  }

  headOf(upstream: number): Head | null {
    return this.#views.get(upstream)?.head ?? null;
  }

  /** Highest height at which the node's own word equals the trusted chain; -1 = none known. */
  agreedAt(upstream: number): number {
    const view = this.#views.get(upstream);
    return view === undefined ? -1 : this.#chain.agreement(view);
  }

  /** Lowest height at which the node is known to be on another branch; -1 = none. */
  forkedAt(upstream: number): number {
    const view = this.#views.get(upstream);
    return view === undefined ? -1 : this.#chain.contradiction(view);
  }

  /** Highest block number that the velocity limit lets pass now. */
  ceiling(nowMs: number): number {
    if (this.#chain.head === null) return Number.POSITIVE_INFINITY;
    const paceMs = this.#blockTime.ms || 1000;
    return this.#chain.number + this.#options.maxStep + Math.floor((2 * Math.max(0, nowMs - this.#chain.movedAtMs)) / paceMs);
  }

  /** Heights at which the node's hash would tell something: ask for them with its next probe. At most four. */
  checkNumbers(upstream: number): readonly number[] {
    const view = this.#views.get(upstream);
    if (view === undefined) return [];
    const numbers: number[] = [];
    if (view.loose && this.#chain.number >= 0 && this.#chain.number < view.number) numbers.push(this.#chain.number);
    if (this.#asked > this.#chain.number && this.#asked <= view.number && view.hashAt(this.#asked) === '') numbers.push(this.#asked);
    // it may have left that branch unseen, in a jump
    const forkedAt = this.#chain.contradiction(view);
    if (forkedAt >= 0 && forkedAt < view.number) numbers.push(forkedAt);
    return numbers.concat(this.#doubt.checkNumbers(this.#chain, view));
  }

  /** Draws the conclusions from what was told since the last call. */
  tick(nowMs: number): HeadEvent[] {
    const events: HeadEvent[] = [];
    this.#events = events;
    const panel = gatherPanel(this.#views.values(), this.stallMs, nowMs);
    if (panel.live.length > 0) {
      if (this.#chain.head === null) this.#start(panel, nowMs);
      else if (!this.#fall(panel, nowMs)) this.#advance(panel, nowMs);
      this.#correct(panel, nowMs);
      this.#finalize(panel, nowMs);
    }
    this.#watchHalt(nowMs);
    return events;
  }

  #start(panel: Panel, nowMs: number): void {
    const waiting = nowMs - this.#firstWordMs < START_MS && panel.live.length < this.#expected;
    const need = needOf(this.#options.quorum, panel.live.length, waiting ? this.#expected : panel.live.length);
    if (waiting && panel.live.length < needOf('auto', this.#expected, this.#expected).quorum) return;
    if (waiting && this.#expected === 2) return;
    const found = bestAgreed(panel.live, { floor: -1, ceiling: Number.POSITIVE_INFINITY, asked: this.#asked }, need);
    this.#asked = commonHeight(panel.live, need.quorum);
    if (found !== null) this.#step(found, panel.live, need, nowMs);
  }

  #advance(panel: Panel, nowMs: number): void {
    const chain = this.#chain;
    const ours = panel.live.filter((view) => chain.contradiction(view) < 0);
    // Who sleeps may bear witness still, but nobody waits for it.
    const awake = ours.filter((view) => panel.awake.includes(view));
    if (awake.length === 0) return;
    const need = needOf(this.#options.quorum, awake.length, panel.live.length);
    const asked = this.#asked;
    this.#asked = commonHeight(ours, need.quorum);
    const near = bestAgreed(ours, { floor: chain.number, ceiling: this.ceiling(nowMs), asked }, need);
    const found = near ?? this.#jump(ours, { awake, of: panel.live.length }, nowMs);
    if (near !== null) this.#jumpSinceMs = -1;
    if (found !== null) this.#step(found, ours, need, nowMs);
  }

  /** A step over the velocity limit: held until the agreement has lasted; sleepers are waited for, except by one of two. */
  #jump(ours: readonly NodeView[], speakers: { readonly awake: readonly NodeView[]; readonly of: number }, nowMs: number): Agreed | null {
    const { awake, of } = speakers;
    const alone = awake.length === 1 && of <= 2 ? awake[0] : undefined;
    const need = needOf(this.#options.quorum, alone === undefined ? of : 1, of);
    const found = bestAgreed(ours, { floor: this.#chain.number, ceiling: Number.POSITIVE_INFINITY, asked: this.#asked }, need);
    if (found === null) {
      this.#jumpSinceMs = -1;
      return null;
    }
    if (this.#jumpSinceMs < 0) this.#jumpSinceMs = nowMs;
    // One of two, with the other asleep: over the limit only where the trusted head never moved, by a node that does.
    if (alone !== undefined && of > 1 && (this.#chain.steps > 0 || alone.moves < 2)) return null;
    const holdMs = of === 1 ? 6 * this.stallMs : this.stallMs;
    if (nowMs - this.#jumpSinceMs < holdMs) return null;
    this.#jumpSinceMs = -1;
    return found;
  }

  #step(to: Agreed, views: readonly NodeView[], need: Need, nowMs: number): void {
    const before = this.#chain.head;
    const elapsedMs = nowMs - this.#chain.movedAtMs;
    this.#chain.extend(to, views, need, nowMs);
    const after = this.#chain.head;
    if (before !== null && after !== null) {
      this.#blockTime.onAdvance(to.number - before.number, elapsedMs, 1000 * (after.timestampS - before.timestampS));
    }
    this.#noteAlone(views, to, need);
    if (this.#halted) this.#events.push({ kind: 'resumed', number: to.number });
    this.#halted = false;
    this.#events.push({ kind: 'advanced', number: to.number, hash: to.hash });
  }

  /** A quorum denies the trusted head: true when it fell or moved to another branch. */
  #fall(panel: Panel, nowMs: number): boolean {
    const chain = this.#chain;
    const gone = panel.awake.filter((view) => {
      const back = view.number < chain.number && view.peakNumber >= chain.number;
      return (back && nowMs - view.fellAtMs >= this.stallMs) || chain.contradiction(view) >= 0;
    });
    const need = needOf(this.#options.quorum, panel.awake.length, panel.live.length);
    if (gone.length < need.quorum) return false;
    const found = bestAgreed(gone, { floor: -1, ceiling: this.ceiling(nowMs), asked: this.#asked }, need);
    if (found === null) return false;
    this.#replace(found, gone, need, nowMs);
    return true;
  }

  #replace(to: Agreed, views: readonly NodeView[], need: Need, nowMs: number): void {
    const reorg = this.#chain.replace(to, views, need, nowMs);
    this.#events.push(reorg);
    this.#doubt.onReorg(reorg, this.#chain, nowMs);
    for (const view of this.#views.values()) view.peakNumber = view.number;
    this.#noteAlone(views, to, need);
    this.#jumpSinceMs = -1;
    this.#halted = false;
  }

  /** A head that one node alone ever stood by, far above where a quorum stands and moves at a chain's pace. */
  #correct(panel: Panel, nowMs: number): void {
    const chain = this.#chain;
    const need = needOf(this.#options.quorum, panel.live.length, panel.live.length);
    const found = this.#alone && panel.live.length >= 3 ? bestAgreed(panel.live, { floor: -1, ceiling: Number.POSITIVE_INFINITY, asked: this.#asked }, need) : null;
    if (found === null || found.number + this.#options.maxStep >= chain.number) {
      this.#apartSinceMs = -1;
      return;
    }
    const waitedMs = nowMs - this.#apartSinceMs;
    const paceMs = this.#blockTime.ms || 1000;
    const catchingUp = found.number - this.#apartFrom > 4 + (2 * waitedMs) / paceMs;
    if (this.#apartSinceMs < 0 || catchingUp) {
      this.#apartSinceMs = nowMs;
      this.#apartFrom = found.number;
    } else if (waitedMs >= this.stallMs) {
      this.#replace(found, panel.live, need, nowMs);
    }
  }

  #noteAlone(views: readonly NodeView[], to: Agreed, need: Need): void {
    this.#alone = need.minYes < 2 && views.filter((view) => view.hashAt(to.number) === to.hash).length < 2;
  }

  #finalize(panel: Panel, nowMs: number): void {
    const isSettled = this.#doubt.isSettled(this.#chain, panel, { stallMs: this.stallMs, nowMs });
    const mark = !isSettled ? null : agreedFinal(this.#chain, panel.live, this.#options);
    if (mark === null) return;
    this.#chain.finalized = mark;
    this.#events.push({ kind: 'finalized', number: mark.number, hash: mark.hash });
  }

  #watchHalt(nowMs: number): void {
    if (this.#halted || this.#chain.head === null) return;
    const sinceMs = this.#chain.movedAtMs;
    if (nowMs - sinceMs < Math.max(10 * this.#blockTime.ms, 30_000)) return;
    this.#halted = true;
    this.#events.push({ kind: 'halted', number: this.#chain.number, sinceMs });
  }
}
