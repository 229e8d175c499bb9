import type { MethodSpec } from '../chain/method.ts';
import type { Outcome, OutcomeClass } from '../chain/outcome.ts';
import type { RetryReason } from '../observe/metricTable.ts';
import type { ChainRuntime } from './chain.ts';

/** Nodes keep the state of at least this many blocks below their head (Geth's default is 128). */
const PRUNED_DEPTH = 128;

/** The call that a node declined. */
interface Declined {
  readonly chain: ChainRuntime;
  readonly spec: MethodSpec;
  /** Block whose state it reads; -1 = none. */
  readonly stateBlock: number;
}

/** Keeps calls of a kind away from a node that cannot answer them. A state that is missing near the head is not pruned. */
export function learnFrom({ chain, spec, stateBlock }: Declined, upstreamIndex: number, outcome: Outcome, nowMs: number): void {
  const { judging, catalog, table } = chain;
  if (outcome.class === 'unsupported') {
    if (spec !== catalog.unknownSpec) judging.onUnsupported(upstreamIndex, spec.index, nowMs);
  } else if (stateBlock >= 0 && stateBlock + PRUNED_DEPTH < table.trustedNumber) {
    judging.onPruned(upstreamIndex, stateBlock, nowMs);
  }
}

/** Classes that are an answer for the client, or nobody's failure, start no retry. */
export function isRetryReason(name: OutcomeClass): name is Exclude<RetryReason, 'null'> {
  return name !== 'result' && name !== 'chain' && name !== 'client' && name !== 'cancelled';
}
