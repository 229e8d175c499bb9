import type { BlockMark, Head } from './head.ts';
import type { HeadTracker } from './heads.ts';
import type { HeadEvent } from './headsOptions.ts';

/**
 * The chain as clients of this process may see it at this moment: the trusted branch, whoever judged it. The process that
 * judges reads its own heads (`HeadsView`); one that is told keeps a copy (`ReplicaView`). Read it anew for each decision.
 */
export interface ChainView {
  /**
   * Brings the view up to what every process may show: read after it, a view is never older than any view of another process
   * was when it was read. Call it once for each decision that a client can see, and before a wait is over. Free in the process
   * that judges; one small read of a file in the others.
   */
  refresh(): void;
  /** The trusted head; null before the first agreement. */
  readonly head: Head | null;
  /** Highest block that is final, agreed like the head; null = none known. */
  readonly finalized: BlockMark | null;
  /** Grows by one with each reorg; answers about unfinalized blocks of an older epoch may be void. */
  readonly epoch: number;
  /** 0 = not known yet. */
  readonly blockTimeMs: number;
  /** Hash of the trusted block at `number`; '' = not known (above the head, or left the window of `reorgDepth` blocks). */
  hashAt(number: number): string;
}

/** The view of the process that judges. */
export class HeadsView implements ChainView {
  epoch = 0;
  readonly #heads: HeadTracker;

  constructor(heads: HeadTracker) {
    this.#heads = heads;
  }

  refresh(): void {}

  get head(): Head | null {
    return this.#heads.trusted();
  }

  get finalized(): BlockMark | null {
    return this.#heads.finalized();
  }

  get blockTimeMs(): number {
    return this.#heads.blockTimeMs;
  }

  hashAt(number: number): string {
    return this.#heads.hashAt(number);
  }

  /** Tell it each event of the heads, before anyone else hears of it. */
  onEvent(event: HeadEvent): void {
    if (event.kind === 'reorg') this.epoch++;
  }
}
