import type { MethodSpec } from '../chain/method.ts';
import type { Outcome, OutcomeClass } from '../chain/outcome.ts';
import type { RetryReason } from '../observe/metricTable.ts';
import type { AttemptSink } from './attemptSink.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';

/** Nodes keep the state of at least this many blocks below their head (Geth's default is 128). */
const PRUNED_DEPTH = 128;

/** The call that a node was asked. */
interface Asked {
  readonly chain: ChainRuntime;
  readonly spec: MethodSpec;
  /** Block whose state it reads; -1 = none. */
  readonly stateBlock: number;
}

/** How an attempt ended. */
interface Ended {
  readonly outcome: Outcome;
  readonly tookMs: number;
  readonly nowMs: number;
  /** It has only begun: what it comes to is counted at its end. */
  readonly goesOn: boolean;
}

/**
 * Tells health, budgets and metrics how an attempt ended, and keeps calls of a kind away from a node that cannot answer them. A
 * state that is missing near the head is not pruned.
 */
export function learnFrom({ chain, spec, stateBlock }: Asked, upstreamIndex: number, { outcome, tookMs, nowMs, goesOn }: Ended): void {
  const { judging, catalog, table } = chain;
  judging.onOutcome(upstreamIndex, outcome, tookMs, nowMs);
  if (!goesOn) chain.metrics.onUpstream(upstreamIndex, outcome.class, tookMs);
  if (outcome.class === 'throttled') {
    chain.book.budgets.onThrottled(upstreamIndex, spec.weight, nowMs);
  } else if (outcome.class === 'unsupported') {
    if (spec !== catalog.unknownSpec) judging.onUnsupported(upstreamIndex, spec.index, nowMs);
  } else if (outcome.class === 'missingData' && stateBlock >= 0 && stateBlock + PRUNED_DEPTH < table.trustedNumber) {
    judging.onPruned(upstreamIndex, stateBlock, nowMs);
  }
}

/** The same for an attempt of a client's call, told also to whoever follows the call. @returns when it ended */
export function noteEnd(run: Asked & { readonly client: Client; readonly server: ServeContext }, sink: AttemptSink, outcome: Outcome): number {
  const { chain, client, server } = run;
  const nowMs = server.parts.world.clock.nowMs();
  const tookMs = nowMs - sink.sentMs;
  learnFrom(run, sink.upstreamIndex, { outcome, tookMs, nowMs, goesOn: sink.answer?.large !== undefined });
  client.inner?.onOutcome(sink, outcome);
  client.trace?.onAttempt(chain.table.entries[sink.upstreamIndex]?.name ?? '', sink, outcome.class, tookMs);
  return nowMs;
}

/** Classes that are an answer for the client, or nobody's failure, start no retry. */
export function isRetryReason(name: OutcomeClass): name is Exclude<RetryReason, 'null'> {
  return name !== 'result' && name !== 'chain' && name !== 'client' && name !== 'cancelled';
}
