import type { LossNotice, TopicBatch } from '../subs/batch.ts';
import type { Topic } from '../subs/topic.ts';

/**
 * Where the notices of a chain come from. In the process that judges it is what follows the chain itself; elsewhere its
 * messenger. Open and close come in pairs for each topic.
 */
export interface TopicFeed {
  open(topic: Topic): void;
  close(topic: Topic): void;
  /** Serial of the newest batch. */
  serial(): number;
}

/** Whoever hands notices on to clients. */
export interface FeedSide {
  deliver(batch: TopicBatch): void;
  lost(notice: LossNotice): void;
}
