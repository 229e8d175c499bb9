import type { BlockMark, Head } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import type { RacedHead } from '../subs/batch.ts';

/** The trusted branch with one block on top that is not trusted yet: what a client was told by the first node that had it. */
export class RacedView implements ChainView {
  readonly head: Head;
  private readonly below: ChainView;

  /** @param below its head is the block's parent */
  constructor(below: ChainView, raced: RacedHead) {
    this.below = below;
    this.head = { ...raced, timestampS: below.head?.timestampS ?? 0 };
  }

  refresh(): void {
    this.below.refresh();
  }

  get finalized(): BlockMark | null {
    return this.below.finalized;
  }

  get epoch(): number {
    return this.below.epoch;
  }

  get blockTimeMs(): number {
    return this.below.blockTimeMs;
  }

  hashAt(number: number): string {
    return number === this.head.number ? this.head.hash : this.below.hashAt(number);
  }
}
