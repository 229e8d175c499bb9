import type { StoredClass } from './entry.ts';

/** Is told what becomes of the entries of one tier. Hot: implementations write into arrays. */
export interface TierTally {
  onHit(of: StoredClass): void;
  onMiss(of: StoredClass): void;
  onStore(of: StoredClass, sizeBytes: number): void;
  /** @param evicted for want of room, not because it was void or flushed */
  onGone(of: StoredClass, sizeBytes: number, evicted: boolean): void;
}
