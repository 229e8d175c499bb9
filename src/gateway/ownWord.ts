import { Fault } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { headAnswer, ownAnswer } from './callFacts.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client } from './context.ts';

/** The answer to a call that no node is asked: the head as its client sees it, and subscriptions. Null = it is none of these. */
export function ownWord({ chain, spec, call, client }: { readonly chain: ChainRuntime; readonly spec: MethodSpec; readonly call: ScannedCall; readonly client: Client }): CallAnswer | Fault | null {
  const { name } = spec;
  // a head that nobody serves any more is no answer
  if (name === 'eth_blockNumber') return client.vantage.number >= 0 && chain.table.serving.length > 0 ? headAnswer(call, client.vantage.number) : null;
  if (name !== 'eth_subscribe' && name !== 'eth_unsubscribe') return null;
  const result = client.subscription(call);
  return result instanceof Fault ? result : ownAnswer(call, result);
}
