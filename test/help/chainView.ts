import type { BlockMark, Head } from '../../src/chain/head.ts';
import type { ChainView } from '../../src/chain/view.ts';

/** A block hash made of a number and a branch letter. */
export const hashOf = (number: number, branch = 'a'): string => `0x${branch.charCodeAt(0).toString(16)}${number.toString(16).padStart(62, '0')}`;

/** A chain that a test moves by hand. */
export class HandView implements ChainView {
  refresh(): void {}

  head: Head | null = null;
  finalized: BlockMark | null = null;
  epoch = 0;
  blockTimeMs = 2000;
  #hashes = new Map<number, string>();

  constructor(head = 100, finalized = 50) {
    for (let n = 0; n <= head; n++) this.#hashes.set(n, hashOf(n));
    this.#setHead(head);
    if (finalized >= 0) this.finalized = { number: finalized, hash: hashOf(finalized) };
  }

  hashAt(number: number): string {
    return number > (this.head?.number ?? -1) ? '' : (this.#hashes.get(number) ?? '');
  }

  /** Adds one block. */
  grow(branch = 'a'): void {
    const number = (this.head?.number ?? -1) + 1;
    this.#hashes.set(number, hashOf(number, branch));
    this.#setHead(number);
  }

  /** Replaces the blocks from `from` to the head by as many of another branch. */
  reorg(from: number, branch: string): void {
    const top = this.head?.number ?? -1;
    for (let n = from; n <= top; n++) this.#hashes.set(n, hashOf(n, branch));
    this.#setHead(top);
    this.epoch++;
  }

  /** Heights that left the window of known hashes. */
  forgetBelow(number: number): void {
    for (const n of this.#hashes.keys()) if (n < number) this.#hashes.delete(n);
  }

  #setHead(number: number): void {
    this.head = { number, hash: this.#hashes.get(number) ?? '', parentHash: this.#hashes.get(number - 1) ?? '', timestampS: number * 2 };
  }
}
