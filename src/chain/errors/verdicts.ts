import type { Outcome, OutcomeClass, RetryVerdict } from '../outcome.ts';

/** Longest time in ms that a node's word can keep us from calling it. */
export const MAX_HOLD_MS = 600_000;

const outcome = (name: OutcomeClass, retry: RetryVerdict, blame: boolean): Outcome =>
  Object.freeze({ class: name, retry, blame, unsent: false, holdMs: 0 });

/** The outcomes that an answer can come to, made once. */
export const VERDICTS = {
  /** The chain's own word. */
  chain: outcome('chain', 'final', false),
  /** The caller's fault. */
  client: outcome('client', 'final', false),
  missingData: outcome('missingData', 'other', false),
  tooLarge: outcome('tooLarge', 'other', false),
  unsupported: outcome('unsupported', 'other', false),
  throttled: outcome('throttled', 'other', false),
  auth: outcome('auth', 'other', true),
  http: outcome('http', 'other', true),
  httpRefused: outcome('http', 'other', false),
  badJson: outcome('badJson', 'other', true),
  /** This node is unwell. */
  nodeIll: outcome('node', 'other', true),
  /** This node would not, for a reason that lies in the call or in its load; another one might. */
  nodeDeclined: outcome('node', 'other', false),
} as const satisfies Record<string, Outcome>;

export type VerdictName = keyof typeof VERDICTS;

/** The same outcome with a time to leave the node alone, in ms, bounded by `MAX_HOLD_MS`. */
export function held(verdict: Outcome, holdMs: number): Outcome {
  if (!(holdMs > 0)) return verdict;
  return { ...verdict, holdMs: Math.min(holdMs, MAX_HOLD_MS) };
}
