import { hashString } from '../base/hash.ts';
import { addressOf } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';

/** What keeps calls on the same node. */
export type AffinityKind = 'request' | 'contract' | 'client' | 'none';

/** What an affinity key can be made of. */
export interface AffinityFacts {
  readonly spec: MethodSpec;
  /** The name as called. */
  readonly method: string;
  readonly paramsRaw: string;
  /** Key, header or address of the client; '' when it is not known. */
  readonly client: string;
}

/**
 * The 32-bit affinity key of a call, or null when nothing binds it to a node: affinity `none`, or `client` without a
 * client. A call by `contract` that names no address falls back on the whole request.
 */
export function affinityKey(kind: AffinityKind, facts: AffinityFacts): number | null {
  if (kind === 'none') return null;
  if (kind === 'client') return facts.client === '' ? null : hashString(facts.client);
  const address = kind === 'contract' ? addressOf(facts.spec, facts.paramsRaw) : '';
  return address === '' ? hashString(facts.paramsRaw, hashString(facts.method)) : hashString(address);
}
