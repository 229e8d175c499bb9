import type { BlockMark, Head } from './head.ts';
import { BlockLedger } from './headsLedger.ts';

/** What one node has said about its branch: its head and the hashes below it that still belong to it. */
export class NodeView {
  readonly ledger: BlockLedger;
  readonly upstream: number;
  head: Head;
  /** When it last said anything. */
  reportedAtMs: number;
  /** Since when another node is higher while this one has not moved up; -1 = it is not behind. */
  behindSinceMs = -1;
  /** Highest number it had before it went back; its own number otherwise. */
  peakNumber: number;
  /** When it went below its peak, or last moved up below it. */
  fellAtMs: number;
  /** How often its head went up since it is known. */
  moves = 0;
  /** Its own judgement is in doubt (it says that it is syncing): asked only when nobody else speaks. */
  muted = false;
  finalized: BlockMark | null = null;
  readonly finals: BlockLedger;
  /** Lowest number of the unbroken run of hashes that ends at the head. */
  #runFrom: number;

  constructor(upstream: number, head: Head, depth: number, nowMs: number) {
    this.upstream = upstream;
    this.ledger = new BlockLedger(depth);
    this.finals = new BlockLedger(16);
    this.head = head;
    this.reportedAtMs = nowMs;
    this.peakNumber = head.number;
    this.fellAtMs = nowMs;
    this.#runFrom = Math.max(0, head.number - 1);
    this.#write(head);
  }

  get number(): number {
    return this.head.number;
  }

  /** Takes in the node's newest head and drops what cannot belong to its branch any more. */
  observe(head: Head, nowMs: number): void {
    this.reportedAtMs = nowMs;
    const before = this.head;
    if (head.number === before.number && head.hash === before.hash) return;
    if (head.number > before.number) {
      this.behindSinceMs = -1;
      this.moves++;
    }
    const catchingUp = head.number > before.number && head.number < this.peakNumber;
    const fell = head.number < before.number && before.number >= this.peakNumber;
    if (catchingUp || fell) this.fellAtMs = nowMs;
    this.peakNumber = Math.max(this.peakNumber, head.number);
    this.head = head;
    this.#splice(head, before.number);
    this.#write(head);
  }

  /** A hash that the node told of below its head. */
  mark(mark: BlockMark): void {
    if (mark.number > this.number) return;
    const known = this.ledger.hashAt(mark.number);
    if (known !== '' && known !== mark.hash) this.ledger.keep(this.#runFrom, this.number);
    if (mark.number < this.#runFrom) this.ledger.set(mark.number, mark.hash);
  }

  /** What the node says of the block at `number`: its hash, or '' when it is not known. */
  hashAt(number: number): string {
    return number > this.number ? '' : this.ledger.hashAt(number);
  }

  /** True when the newest head is not tied to what the node said before. */
  get loose(): boolean {
    return this.number - this.#runFrom < 2 && this.number > 1;
  }

  #splice(head: Head, topBefore: number): void {
    const below = head.number - 1;
    if (head.number > topBefore + 1) {
      this.#runFrom = below;
      return;
    }
    const same = this.ledger.hashAt(head.number) === head.hash;
    const tied = this.ledger.hashAt(below) === head.parentHash;
    if (same || tied) {
      this.ledger.keep(0, head.number);
      this.#runFrom = Math.min(this.#runFrom, Math.max(0, below));
      return;
    }
    this.ledger.keep(0, -1);
    this.#runFrom = Math.max(0, below);
  }

  #write(head: Head): void {
    this.ledger.set(head.number, head.hash);
    if (head.parentHash !== '') this.ledger.set(head.number - 1, head.parentHash);
  }
}
