import type { Loss } from './line.ts';
import type { TopicKind } from './topic.ts';

/** A head that was told of before it is trusted, on the word of the first node that has it. */
export interface RacedHead {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
}

/** What one block means for one topic: told whole, or not at all. */
export interface TopicBatch {
  readonly key: string;
  /** Raw JSON of each result, in order. */
  readonly results: readonly string[];
  /** Whoever was told of it reads the chain at this height or above. */
  readonly number: number;
  /** Grows with each block that is told of. */
  readonly serial: number;
  /** The results take back what the batch with this serial told; -1 = they are new. */
  readonly undoes: number;
  /** When the first node told of the block. */
  readonly receivedMs: number;
  /** The block, where it is not trusted yet. */
  readonly raced?: RacedHead;
}

/** What a stream could not tell: the topics of one kind, up to now. */
export interface LossNotice {
  readonly kind: TopicKind;
  readonly loss: Loss;
}
