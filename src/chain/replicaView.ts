import type { BlockMark, Head } from './head.ts';
import { BlockLedger } from './headsLedger.ts';
import type { ChainView } from './view.ts';
import type { TrustedMark } from './viewCell.ts';

/** Part of the trusted branch: hashes from a height on, lowest first. */
export interface Branch {
  readonly epoch: number;
  readonly from: number;
  readonly hashes: readonly string[];
}

const UNKNOWN: TrustedMark = { epoch: 0, head: null, finalized: null, blockTimeMs: 0 };

/**
 * A copy of the trusted chain in a process that does not judge it. What must never be older than elsewhere (head, epoch,
 * finalized) comes from the cell that all processes share; the hashes below come by message, a little later: until then
 * `hashAt` knows only what the cell tells.
 */
export class ReplicaView implements ChainView {
  #mark = UNKNOWN;
  #branchEpoch = -1;
  readonly #branch: BlockLedger;
  readonly #read: () => TrustedMark | null;

  /**
   * @param depth blocks whose hashes are kept
   * @param read gives what the shared cell holds when it is newer than the last time, else null
   */
  constructor(depth: number, read: () => TrustedMark | null) {
    this.#branch = new BlockLedger(depth);
    this.#read = read;
  }

  refresh(): void {
    const mark = this.#read();
    if (mark !== null) this.#mark = mark;
  }

  get head(): Head | null {
    return this.#mark.head;
  }

  get finalized(): BlockMark | null {
    return this.#mark.finalized;
  }

  get epoch(): number {
    return this.#mark.epoch;
  }

  get blockTimeMs(): number {
    return this.#mark.blockTimeMs;
  }

  /** True while a reorg is known whose new branch has not been told yet: only the hashes in the cell are known. */
  get behind(): boolean {
    return this.#branchEpoch !== this.#mark.epoch;
  }

  /** More of the trusted branch. What was learnt of an older epoch is forgotten. */
  learn({ epoch, from, hashes }: Branch): void {
    if (epoch < this.#branchEpoch) return;
    if (epoch > this.#branchEpoch) this.#branch.keep(0, -1);
    this.#branchEpoch = epoch;
    for (const [i, hash] of hashes.entries()) this.#branch.set(from + i, hash);
    this.refresh();
  }

  hashAt(number: number): string {
    const { head, finalized } = this.#mark;
    if (head === null || number > head.number) return '';
    if (number === head.number) return head.hash;
    if (number === head.number - 1 && head.parentHash !== '') return head.parentHash;
    if (number === finalized?.number) return finalized.hash;
    return this.behind ? '' : this.#branch.hashAt(number);
  }
}
