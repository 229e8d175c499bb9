import type { Outcome } from '../chain/outcome.ts';
import type { AttemptSink, NodeAnswer } from './attemptSink.ts';

/** What whoever makes a call of our own has to say on its way. */
export interface Inner {
  /** Reorders the nodes that may take the call, best first. */
  order(candidates: Int32Array, count: number): void;
  /** Looks a result over; false = it is not to be used, another node may do better. */
  accepts(sink: AttemptSink, answer: NodeAnswer): boolean;
  /** An attempt ended. */
  onOutcome(sink: AttemptSink, outcome: Outcome): void;
}

/** Takes everything as it comes. */
export const PLAIN: Inner = { order: () => undefined, accepts: () => true, onOutcome: () => undefined };
