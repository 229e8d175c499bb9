import type { BlockMark, Head } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';

/**
 * The chain as it stood at one moment: what the requests taken then are answered from. The same object until the trusted
 * head moves. Hashes below the head are those of the view it was taken of, so they hold as long as its epoch does.
 */
export class Vantage implements ChainView {
  readonly head: Head | null;
  readonly finalized: BlockMark | null;
  readonly epoch: number;
  /** When this process first saw its head. */
  readonly sinceMs: number;
  /** Height of the head; -1 before the first agreement. */
  readonly number: number;
  /** Value of `x-tidegate-block`; '' before the first agreement. */
  readonly text: string;
  /** Hash of its head where that is not trusted yet, but some node has it; else ''. */
  readonly raced: string;
  private readonly view: ChainView;

  constructor(view: ChainView, sinceMs: number, raced = '') {
    const { head, finalized, epoch } = view;
    this.view = view;
    this.head = head;
    this.finalized = finalized;
    this.epoch = epoch;
    this.sinceMs = sinceMs;
    this.raced = raced;
    this.number = head?.number ?? -1;
    this.text = head === null ? '' : `${head.number}:${head.hash}`;
  }

  /** It is of one moment. */
  refresh(): void {}

  get blockTimeMs(): number {
    return this.view.blockTimeMs;
  }

  hashAt(number: number): string {
    return number > this.number ? '' : this.view.hashAt(number);
  }

  /** Whether the view has the same head as when this was taken. */
  isAtHead(): boolean {
    const { head, epoch } = this.view;
    return this.epoch === epoch && this.head?.hash === head?.hash && this.head?.number === head?.number;
  }

  /** Whether nothing has changed since this was taken. */
  isCurrent(): boolean {
    return this.finalized?.number === this.view.finalized?.number && this.isAtHead();
  }
}
