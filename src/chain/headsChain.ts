import type { BlockMark, Head } from './head.ts';
import type { Agreed, Need } from './headsAgree.ts';
import { agreedAt } from './headsAgree.ts';
import { BlockLedger } from './headsLedger.ts';
import type { HeadEvent } from './headsOptions.ts';
import type { NodeView } from './headsView.ts';

/** The branch that is trusted: its head, the hashes of its newest blocks, when each height was reached, the finalized mark. */
export class TrustedChain {
  head: Head | null = null;
  finalized: BlockMark | null = null;
  /** When the head last changed. */
  movedAtMs = 0;
  /** How often it went up; 0 = it stands where it was first seen. */
  steps = 0;
  readonly #blocks: BlockLedger;
  readonly #reachedMs: Float64Array;

  constructor(depth: number) {
    this.#blocks = new BlockLedger(depth);
    this.#reachedMs = new Float64Array(depth);
  }

  get number(): number {
    return this.head?.number ?? -1;
  }

  hashAt(number: number): string {
    return number > this.number ? '' : this.#blocks.hashAt(number);
  }

  /** When the trusted head reached `number`; for heights that left the window, the time of the oldest one kept. */
  reachedAtMs(number: number): number {
    const oldest = Math.max(0, this.number - this.#blocks.depth + 1);
    return this.#reachedMs[Math.min(Math.max(number, oldest), Math.max(0, this.number)) % this.#blocks.depth] ?? 0;
  }

  /** Highest height at which the node is known to be on this branch; -1 = none. */
  agreement(view: NodeView): number {
    const bottom = Math.max(0, this.number - this.#blocks.depth + 1);
    for (let number = Math.min(view.number, this.number); number >= bottom; number--) {
      const ours = this.#blocks.hashAt(number);
      if (ours !== '' && view.hashAt(number) === ours) return number;
    }
    return -1;
  }

  /** Lowest height at which the node's branch is known to differ from this one; -1 = none. */
  contradiction(view: NodeView): number {
    const top = Math.min(view.number, this.number);
    const bottom = Math.max(0, this.number - this.#blocks.depth + 1);
    for (let number = bottom; number <= top; number++) {
      const ours = this.#blocks.hashAt(number);
      if (ours === '') continue;
      const theirs = view.hashAt(number);
      if (theirs !== '' && theirs !== ours) return number;
    }
    return -1;
  }

  /** Goes up (or starts) to `to`, which `views` stand by. */
  extend(to: Agreed, views: readonly NodeView[], need: Need, nowMs: number): void {
    const before = this.head;
    const depth = this.#blocks.depth;
    const from = Math.max(0, to.number - depth + 1, before === null ? 0 : before.number + 1);
    for (let number = from; number < to.number; number++) {
      const hash = agreedAt(views, number, need);
      if (hash !== '') this.#blocks.set(number, hash);
    }
    for (let number = from; number <= to.number; number++) this.#reachedMs[number % depth] = nowMs;
    this.#blocks.set(to.number, to.hash);
    this.head = headOf(to, views, before);
    this.movedAtMs = nowMs;
    if (before !== null) this.steps++;
  }

  /** Leaves its own branch for the one of `views`, who have been found a quorum. */
  replace(to: Agreed, views: readonly NodeView[], need: Need, nowMs: number): HeadEvent {
    const old = this.head;
    const oldNumber = this.number;
    let proven = Math.min(oldNumber, to.number) + 1;
    for (const view of views) {
      const at = this.contradiction(view);
      if (at >= 0) proven = Math.min(proven, at);
    }
    const shared = this.#sharedBelow(proven, views);
    const bottom = Math.max(0, oldNumber - this.#blocks.depth + 1);
    const finalNumber = this.finalized?.number ?? -1;
    const finalityBroken = finalNumber >= proven;
    const fromNumber = shared >= 0 ? shared + 1 : Math.max(bottom, finalityBroken ? 0 : finalNumber + 1);
    const oldHashes: string[] = [];
    for (let number = fromNumber; number <= oldNumber; number++) oldHashes.push(this.#blocks.hashAt(number));
    this.#blocks.keep(0, fromNumber - 1);
    if (finalityBroken) this.finalized = shared >= 0 ? { number: shared, hash: this.#blocks.hashAt(shared) } : null;
    this.head = old === null || shared < 0 ? null : { ...old, number: shared, hash: this.#blocks.hashAt(shared) };
    if (to.number > this.number) this.extend(to, views, need, nowMs);
    this.movedAtMs = nowMs;
    const depth = Math.max(0, oldNumber - proven + 1);
    return { kind: 'reorg', fromNumber, depth, oldHashes: oldHashes.filter((hash) => hash !== ''), number: to.number, hash: to.hash, finalityBroken };
  }

  /** Highest height below `limit` where one of the nodes is known to be on this branch; -1 = none known. */
  #sharedBelow(limit: number, views: readonly NodeView[]): number {
    const bottom = Math.max(0, this.number - this.#blocks.depth + 1);
    for (let number = limit - 1; number >= bottom; number--) {
      const ours = this.#blocks.hashAt(number);
      if (ours !== '' && views.some((view) => view.hashAt(number) === ours)) return number;
    }
    return -1;
  }
}

/** The agreed block as a head. Parent and timestamp come from a node whose head it is; else the nearest that is known stands in. */
function headOf(agreed: Agreed, views: readonly NodeView[], before: Head | null): Head {
  let parentHash = '';
  let timestampS = before?.timestampS ?? 0;
  for (const view of views) {
    if (view.head.hash === agreed.hash) return view.head;
    if (view.hashAt(agreed.number) !== agreed.hash) continue;
    parentHash = view.hashAt(agreed.number - 1);
    timestampS = Math.max(timestampS, view.head.timestampS);
  }
  return { number: agreed.number, hash: agreed.hash, parentHash, timestampS };
}
