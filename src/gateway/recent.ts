/**
 * A bounded set of transaction hashes that went through this edge lately, so that a null answer about one of
 * them is worth a second opinion. Two generations: the older half is dropped whole when the newer is full.
 */
export class RecentHashes {
  private young = new Set<string>();
  private old = new Set<string>();
  private readonly capacity: number;

  /** @param capacity most hashes kept; at least half of it is always remembered */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(hash: string): void {
    if (this.young.size * 2 >= this.capacity) {
      this.old = this.young;
      this.young = new Set();
    }
    this.young.add(hash);
  }

  get size(): number {
    return this.young.size + this.old.size;
  }

  has(hash: string): boolean {
    return this.young.has(hash) || this.old.has(hash);
  }
}
