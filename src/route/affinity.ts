import { hashString } from '../base/hash.ts';
import { elementAt, isArrayAt, isObjectAt, memberAt, skipSpace, stringAt } from '../chain/jsonWalk.ts';
import type { MethodSpec } from '../chain/method.ts';

/** What keeps calls on the same node: the whole call, the contract it is about, the client, or nothing. */
export type AffinityKind = 'request' | 'contract' | 'client' | 'none';

/** Of longer params only both ends are hashed, so that a key costs a bounded time. */
const MAX_HASHED_CHARS = 4096;

/** What a key is made of. */
export interface KeyParts {
  readonly method: MethodSpec;
  /** The call's params as JSON text, '' when absent. */
  readonly paramsRaw: string;
  /** Hash of what tells clients apart: key, header or address. */
  readonly clientHash: number;
  /** Uniform in [0, 1); used by `none` alone. */
  readonly random: number;
}

/** The affinity key of a call, 32 bits. `contract` falls back to `request` where the call names no address. */
export function affinityHash(kind: AffinityKind, parts: KeyParts): number {
  switch (kind) {
    case 'request':
      return requestHash(parts);
    case 'contract': {
      const address = addressOf(parts.paramsRaw, parts.method.addressIndex);
      return address === null ? requestHash(parts) : hashString(address.toLowerCase());
    }
    case 'client':
      return parts.clientHash >>> 0;
    case 'none':
      return Math.floor(parts.random * 4294967296) >>> 0;
  }
}

function requestHash({ method, paramsRaw }: KeyParts): number {
  if (paramsRaw.length <= MAX_HASHED_CHARS) return hashString(paramsRaw, method.index);
  const half = MAX_HASHED_CHARS / 2;
  return hashString(paramsRaw.slice(-half), hashString(paramsRaw.slice(0, half), method.index ^ paramsRaw.length));
}

/** The address at `params[index]`: the string itself, or of an object its `to` or `address`, of a list the first. */
function addressOf(paramsRaw: string, index: number): string | null {
  if (index < 0) return null;
  let at = elementAt(paramsRaw, skipSpace(paramsRaw, 0), index);
  if (at >= 0 && isObjectAt(paramsRaw, at)) {
    const to = memberAt(paramsRaw, at, 'to');
    at = to >= 0 ? to : memberAt(paramsRaw, at, 'address');
  }
  if (at >= 0 && isArrayAt(paramsRaw, at)) at = elementAt(paramsRaw, at, 0);
  return at < 0 ? null : stringAt(paramsRaw, at);
}
