import { hashString } from '../base/hash.ts';
import { addressOf } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';

/** What keeps calls on the same node: the whole call, the contract it is about, the client, or nothing. */
export type AffinityKind = 'request' | 'contract' | 'client' | 'none';

/** Of longer params only both ends are hashed, so that a key costs a bounded time. */
const MAX_HASHED_CHARS = 4096;

/** What a key is made of. */
export interface KeyParts {
  readonly spec: MethodSpec;
  /** The method's own name; the spec's is not it for methods that the catalogue does not know. */
  readonly method: string;
  /** The call's params as JSON text, '' when absent. */
  readonly paramsRaw: string;
  /** What tells clients apart: key, header or address. */
  readonly client: string;
}

/**
 * The affinity key of a call, 32 bits; null for `none`, where the caller takes a random one.
 * `contract` falls back to `request` where the call names no address.
 */
export function affinityKey(kind: AffinityKind, parts: KeyParts): number | null {
  switch (kind) {
    case 'request':
      return requestKey(parts);
    case 'contract': {
      const address = addressOf(parts.spec, parts.paramsRaw);
      return address === '' ? requestKey(parts) : hashString(address);
    }
    case 'client':
      return hashString(parts.client);
    case 'none':
      return null;
  }
}

function requestKey({ method, paramsRaw }: KeyParts): number {
  const seed = hashString(method);
  if (paramsRaw.length <= MAX_HASHED_CHARS) return hashString(paramsRaw, seed);
  const half = MAX_HASHED_CHARS / 2;
  return hashString(paramsRaw.slice(-half), hashString(paramsRaw.slice(0, half), seed ^ paramsRaw.length));
}
