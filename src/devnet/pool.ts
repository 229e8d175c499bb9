import type { RawTransaction } from './record.ts';

/** A transaction that waits for a block. */
export interface Waiting extends RawTransaction {
  /** Rises by one with each arrival. */
  readonly sequence: number;
}

/** Bounds of the pool. */
export interface PoolLimits {
  readonly maxTransactions: number;
  readonly maxBytes: number;
  /** How many hashes of included transactions are remembered, so that a late notice does not bring one back. */
  readonly maxRemembered: number;
}

export const POOL_LIMITS: PoolLimits = { maxTransactions: 10_000, maxBytes: 64 << 20, maxRemembered: 50_000 };

/** Transactions picked up from any node and not yet in a block, in the order of arrival. */
export class PendingPool {
  readonly #limits: PoolLimits;
  readonly #waiting = new Map<string, Waiting>();
  readonly #included = new Set<string>();
  #sequence = 0;
  #sizeBytes = 0;

  constructor(limits: PoolLimits = POOL_LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Sequence of the newest arrival; 0 = none ever. */
  get lastSequence(): number {
    return this.#sequence;
  }

  /** True for one that waits or was included lately. */
  knows(hash: string): boolean {
    return this.#waiting.has(hash) || this.#included.has(hash);
  }

  /** The raw bytes of one that waits, or null. */
  rawOf(hash: string): string | null {
    return this.#waiting.get(hash)?.raw ?? null;
  }

  /** Takes one in; false when it is known already or the pool is full. */
  add(hash: string, raw: string): boolean {
    if (this.knows(hash)) return false;
    if (this.#waiting.size >= this.#limits.maxTransactions || this.#sizeBytes + raw.length > this.#limits.maxBytes) return false;
    this.#sequence += 1;
    this.#sizeBytes += raw.length;
    this.#waiting.set(hash, { hash, raw, sequence: this.#sequence });
    return true;
  }

  /** Those that arrived after `sequence`, oldest first. */
  after(sequence: number): Waiting[] {
    return sequence >= this.#sequence ? [] : [...this.#waiting.values()].filter((one) => one.sequence > sequence);
  }

  /** Up to `count` of the oldest. */
  oldest(count: number): Waiting[] {
    const found: Waiting[] = [];
    for (const one of this.#waiting.values()) {
      if (found.length >= count) break;
      found.push(one);
    }
    return found;
  }

  /** Forgets one that no node would include any more. */
  drop(hash: string): void {
    const one = this.#waiting.get(hash);
    if (one === undefined) return;
    this.#sizeBytes -= one.raw.length;
    this.#waiting.delete(hash);
  }

  /** Takes out what a block of the log includes. */
  include(hashes: Iterable<string>): void {
    for (const hash of hashes) {
      this.drop(hash);
      this.#included.add(hash);
    }
    for (const hash of this.#included) {
      if (this.#included.size <= this.#limits.maxRemembered) break;
      this.#included.delete(hash);
    }
  }

  /** Puts back what a voided block had included. */
  restore(transactions: readonly RawTransaction[]): void {
    for (const { hash, raw } of transactions) {
      this.#included.delete(hash);
      this.add(hash, raw);
    }
  }
}
