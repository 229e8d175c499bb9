import { MAX_HASHED_BYTES, hashBytes, hashString } from '../base/hash.ts';
import { addressOf, blockRefOf } from '../chain/blockref.ts';
import type { MethodSpec } from '../chain/method.ts';

/** What keeps calls on the same node: the whole call, the contract or the block it is about, the client, or nothing. */
export type AffinityKind = 'request' | 'contract' | 'block' | 'client' | 'none';

/** What a key is made of. */
export interface KeyParts {
  readonly spec: MethodSpec;
  /** The method's own name; the spec's is not it for methods that the catalogue does not know. */
  readonly method: string;
  /** The call's params as raw JSON, one char per byte; '' when absent. */
  readonly paramsRaw: string;
  /** What tells clients apart: key, header or address. */
  readonly client: string;
}

/**
 * The affinity key of a call, 32 bits; null for `none`, where the caller takes a random one.
 * `contract` falls back to `request` where the call names no address, `block` where it names no block.
 */
export function affinityKey(kind: AffinityKind, parts: KeyParts): number | null {
  switch (kind) {
    case 'request':
      return requestKey(parts);
    case 'contract': {
      const address = addressOf(parts.spec, parts.paramsRaw);
      return address === '' ? requestKey(parts) : hashString(address);
    }
    case 'block':
      return blockKey(parts) ?? requestKey(parts);
    case 'client':
      return hashString(parts.client);
    case 'none':
      return null;
  }
}

/** Calls about one block have much to share in a node that has worked it out once. */
function blockKey({ spec, paramsRaw }: KeyParts): number | null {
  const ref = blockRefOf(spec, paramsRaw);
  if (ref.kind === 'number') return hashString(String(ref.number));
  if (ref.kind === 'tag') return hashString(ref.tag);
  return ref.kind === 'hash' ? hashString(ref.hash) : null;
}

function requestKey({ method, paramsRaw }: KeyParts): number {
  const seed = hashString(method);
  if (paramsRaw.length <= MAX_HASHED_BYTES) return hashBytes(paramsRaw, seed);
  // of longer ones both ends, so that a key costs a bounded time
  const half = MAX_HASHED_BYTES / 2;
  return hashBytes(paramsRaw.slice(-half), hashBytes(paramsRaw.slice(0, half), seed ^ paramsRaw.length));
}
