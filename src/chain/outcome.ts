/**
 * What one attempt at one node came to. `result` and `chain` and `client` are answers for the client;
 * the rest are judged by `route/attempt` and counted by `health/node`.
 */
export type OutcomeClass =
  /** A result. */
  | 'result'
  /** The chain's own answer in error form: a revert, insufficient funds, nonce too low. */
  | 'chain'
  /** The caller's fault: invalid params. */
  | 'client'
  /** Connection refused, reset, DNS, TLS. */
  | 'transport'
  /** No answer in the attempt's time. */
  | 'timeout'
  /** HTTP 5xx or another status that is not an answer. */
  | 'http'
  /** HTTP 429, or an error text that means a rate or quota. */
  | 'throttled'
  /** HTTP 401, 402, 403 from the provider, or an error text that means so. */
  | 'auth'
  /** Not JSON, cut off, or not a JSON-RPC answer. */
  | 'badJson'
  /** An answer whose id is not ours. */
  | 'wrongId'
  /** An error that means "this node": syncing, internal error, execution timeout. */
  | 'node'
  /** The node lacks the block or state: pruned, or not there yet. */
  | 'missingData'
  /** The node lacks the method. */
  | 'unsupported'
  /** The node will not answer so much at once: log ranges. */
  | 'tooLarge'
  /** Given up by us: the client left, or a hedge won. Never counted. */
  | 'cancelled';

/** What to do with an outcome that is not the client's answer. */
export type RetryVerdict = 'final' | 'other' | 'same';

/** One classified answer or failure of one attempt. */
export interface Outcome {
  readonly class: OutcomeClass;
  readonly retry: RetryVerdict;
  /** Counts as a failure against the node's health. */
  readonly blame: boolean;
  /** Nothing of the call left this process: even a non-idempotent call may go elsewhere. */
  readonly unsent: boolean;
  /** `Retry-After` in ms, or 0. */
  readonly holdMs: number;
}
