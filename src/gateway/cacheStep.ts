import type { Entry } from '../cache/entry.ts';
import type { CallAsk } from '../cache/rule.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { RequestOutcome } from '../observe/metricTable.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import { storedBody } from './storedBody.ts';
import type { Vantage } from './vantage.ts';

/** Families that move a development chain past its own rules. */
const CHANGES_CHAIN = /^(?:debug_setHead|(?:anvil|dev|evm|ganache|hardhat|tenderly)_)/;

/** Whether a call through this edge may change what stored answers were made of: no reorg need follow. */
export const changesChain = (spec: MethodSpec, method: string): boolean => (spec.class === 'dev' || !spec.idempotent) && CHANGES_CHAIN.test(method);

/** The stored answer to a call as it is kept; null = none. */
export function storedEntry(chain: ChainRuntime, ask: CallAsk, call: ScannedCall, vantage: Vantage): Entry | null {
  const entry = chain.cache.find(ask, call, vantage);
  if (entry !== null) chain.cache.verifier.onHit(entry, ask, call);
  return entry;
}

/** The stored answer to a call under its caller's id; null = none. */
export function storedAnswer(chain: ChainRuntime, ask: CallAsk, call: ScannedCall, { vantage, streams }: Pick<Client, 'vantage' | 'streams'>): CallAnswer | null {
  const entry = storedEntry(chain, ask, call, vantage);
  if (entry === null) return null;
  const { body, rest } = storedBody(call.idRaw ?? 'null', entry, streams === true);
  const answer: CallAnswer = { status: 200, body, upstream: '', retryAfterS: 0, outcome: entry.isError ? 'error' : 'result', cache: 'hit' };
  return rest === undefined ? answer : { ...answer, rest };
}

/**
 * The answer to a call that needs no node and counts against nobody's limits, without a `CallRun`; counted. Otherwise what
 * the cache makes of the call, null where it does not concern the cache.
 */
export function quickAnswer(server: ServeContext, chain: ChainRuntime, call: ScannedCall, client: Pick<Client, 'vantage' | 'streams'>): CallAnswer | CallAsk | null {
  const { spec } = chain.policy.decide(call.method);
  const ask = spec === null ? null : chain.cache.ask(call, spec, client.vantage);
  if (spec === null || ask === null) return null;
  const answer = storedAnswer(chain, ask, call, client);
  if (answer === null) return ask;
  countStored(server, chain, spec, answer.outcome);
  return answer;
}

/** Counts a call that was answered from the cache. */
export function countStored(server: ServeContext, chain: ChainRuntime, spec: MethodSpec, outcome: RequestOutcome): void {
  chain.metrics.onRequest(spec.index, outcome, 0);
  if (server.parts.sampleEvery > 0) server.sample({ chain: chain.name, method: spec.name, outcome, tookMs: 0, attempts: 0 });
}
