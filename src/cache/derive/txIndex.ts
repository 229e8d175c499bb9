import type { BlockMark } from '../../chain/head.ts';

/** Blocks that are known by their hash. */
const MAX_BLOCKS = 4096;

interface Indexed {
  readonly mark: BlockMark;
  hashes: readonly string[];
}

/** Which of the stored blocks a transaction is in, and at which height a stored block stands; the oldest are forgotten first. */
export class TxIndex {
  private readonly blocks = new Map<string, Indexed>();
  private readonly transactions = new Map<string, BlockMark>();
  /** Most transactions that are known. */
  max: number;

  constructor(max: number) {
    this.max = max;
  }

  get size(): number {
    return this.transactions.size;
  }

  /** An answer about a block is stored. */
  addBlock(number: number, hash: string): void {
    this.entryOf(number, hash);
    this.shrink();
  }

  /** Whether the transactions of a block are known. */
  has(hash: string): boolean {
    return (this.blocks.get(hash)?.hashes.length ?? 0) > 0;
  }

  /** @param hashes lower case */
  addTransactions(number: number, hash: string, hashes: readonly string[]): void {
    const block = this.entryOf(number, hash);
    block.hashes = hashes;
    for (const each of hashes) this.transactions.set(each, block.mark);
    this.shrink();
  }

  /** The stored block with this hash; null = none. */
  block(hash: string): BlockMark | null {
    return this.blocks.get(hash)?.mark ?? null;
  }

  /** The block that a transaction was last seen in; null = none. */
  blockOf(transaction: string): BlockMark | null {
    return this.transactions.get(transaction) ?? null;
  }

  private entryOf(number: number, hash: string): Indexed {
    const known = this.blocks.get(hash) ?? { mark: { number, hash }, hashes: [] };
    this.blocks.delete(hash);
    this.blocks.set(hash, known);
    return known;
  }

  private shrink(): void {
    for (const [hash, block] of this.blocks) {
      if (this.blocks.size <= MAX_BLOCKS && this.transactions.size <= this.max) return;
      this.blocks.delete(hash);
      for (const each of block.hashes) if (this.transactions.get(each) === block.mark) this.transactions.delete(each);
    }
  }
}
