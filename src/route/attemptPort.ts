import type { FaultKind } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { LoadBook } from './loadBook.ts';
import type { RetryBudget } from './retryBudget.ts';
import type { RouteTable } from './table.ts';

/** What the machine must know of a node's whole answer. */
export interface NodeReply {
  /** The result is `null`. */
  readonly isNull: boolean;
}

/**
 * Why an attempt is given up. `timeout`: the node was too slow, to be counted as an outcome of class `timeout`.
 * The others are no fault of the node: `lost` to a better answer, `deadline` of the call, node `down`, client `gone`.
 * After `deadline` a shell may count a timeout when the attempt had run for the node's own attempt timeout.
 */
export type CancelReason = 'lost' | 'timeout' | 'deadline' | 'down' | 'gone';

/** How a call ended. */
export type AttemptResult<R extends NodeReply> =
  /** A node's answer, result or error, is the answer. */
  | {
      readonly kind: 'reply';
      readonly reply: R;
      readonly outcome: Outcome;
      readonly upstreamIndex: number;
      readonly sends: number;
      /** The call may have reached another node before: its "already known" can be a success. */
      readonly mayHaveRunBefore: boolean;
    }
  /** No node's answer can be shown. `holdMs`: when it makes sense to ask again, or 0. */
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly holdMs: number; readonly sends: number }
  /** The client left. */
  | { readonly kind: 'gone'; readonly sends: number };

/** What the machine asks of the shell. */
export interface AttemptPort<R extends NodeReply> {
  /**
   * Sends the call to a node. Its end is told by `onAnswer` or `onFailure`, once, not from within `send`.
   * @param attempt number of the attempt; they only grow, also over several calls of one machine
   * @param timeoutMs the machine gives up after this time by itself; a hint for the client's own timeout
   */
  send(attempt: number, upstreamIndex: number, timeoutMs: number, nowMs: number): void;
  /** Stops an attempt. Whatever it still reports is ignored. */
  cancel(attempt: number, why: CancelReason): void;
  /** Wants `onTimer` at `atMs` or a little later; at once where that is past. Replaces what was armed before; to be dropped at `finish`. */
  arm(atMs: number, nowMs: number): void;
  /** The call is over: called exactly once per `start`, possibly within it. Once it has returned the machine may be started again. */
  finish(result: AttemptResult<R>): void;
}

/** One call, as the machine sees it. */
export interface AttemptCall {
  readonly method: MethodSpec;
  /** The picture that the candidates come from. */
  readonly table: RouteTable;
  /** Upstream indices in order of preference, as `Ranker.rank` gave them; untouched until the call is over. */
  readonly candidates: Int32Array;
  readonly candidateCount: number;
  /** The answer when there is no candidate. */
  readonly refusal: FaultKind;
  /** Monotonic ms by which the call has its answer. */
  readonly deadlineMs: number;
  /** The transaction or block hash asked for came through this edge lately, so a null is suspicious. */
  readonly hashSeen: boolean;
}

/** Limits of every call of a chain. */
export interface AttemptOptions {
  /** Most sends of one call, the first, retries and hedges together; 1 or more. */
  readonly maxAttempts: number;
  /** Most hedges of one call; 0 = none. */
  readonly maxHedges: number;
  /** Ask one other node when a null can mean that the first does not have it yet. */
  readonly nullRetry: boolean;
}

/** What all machines of a chain share. */
export interface AttemptShared {
  readonly options: AttemptOptions;
  readonly budget: RetryBudget;
  readonly book: LoadBook;
}
