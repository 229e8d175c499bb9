import type { ScannedCall } from '../rpc/scan.ts';
import type { CallAnswer } from './callFacts.ts';
import { CallRun } from './callRun.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import { isFilterMethod } from './filters/desk.ts';
import { FilterRun } from './filters/filterRun.ts';
import { HeavyRun } from './heavyRun.ts';
import { LogsRun } from './logs/logsRun.ts';

/** Namespaces that have traces. */
const HEAVY = /^(?:trace|debug|ots|overlay|arbtrace|erigon)_/;

/** Whether a call may be answered from a block that one node has told of. What is proven across nodes, or holds slots for long, waits until it is trusted. */
export const isRaceable = (method: string): boolean => method !== 'eth_getLogs' && !isFilterMethod(method) && !HEAVY.test(method);

/** A call of a client on its way to its answer. */
export interface ClientRun {
  /** Whether another trusted branch, or another head, can make another answer of this one. */
  readonly mayChange: boolean;
  /** Whether the answer is of a block above the head that the request began with. */
  readonly raised: boolean;
  /** @param done gets the answer exactly once, unless the call is abandoned; possibly before this returns */
  start(done: (answer: CallAnswer) => void): void;
  /** The client is gone. */
  abandon(): void;
}

/** Who sees to a call: nodes, one after another; or the edge itself, where it takes more than one call to a node. */
export function runOf(server: ServeContext, chain: ChainRuntime, call: ScannedCall, client: Client): ClientRun {
  const { spec } = chain.policy.decide(call.method);
  // most calls: told without looking at the name again
  if (spec === null || spec.class === 'read') return new CallRun(server, chain, call, client);
  const { logs } = chain.config;
  const isChainKnown = client.vantage.number >= 0;
  if (call.method === 'eth_getLogs' && logs.enabled && isChainKnown) return new LogsRun(server, chain, { call, spec, client });
  if (isFilterMethod(call.method) && logs.filters.enabled && isChainKnown) return new FilterRun(server, chain, { call, spec, client });
  if (spec.class === 'trace' && HEAVY.test(call.method) && client.inner === undefined) return new HeavyRun(server, chain, [call, spec], client);
  return new CallRun(server, chain, call, client);
}
