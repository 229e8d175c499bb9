import { notProvable, wrong } from './fault.ts';
import type { Captured } from './header.ts';
import { dataBytes, toHex } from './hex.ts';

/** Hashes bytes with SHA-256. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Commitment to a list of requests, each its type and then its data; those without data do not count (EIP-7685). */
export function requestsHash(sha256: Sha256, requests: readonly Uint8Array[]): Uint8Array {
  const hashes = requests.filter(({ length }) => length > 1).map(sha256);
  const all = new Uint8Array(32 * hashes.length);
  for (const [i, hash] of hashes.entries()) all.set(hash, 32 * i);
  return sha256(all);
}

/**
 * Rebuilds the requestsHash of a header that has one.
 * @param requests the list as the engine API gives it, or undefined where it was not captured
 * @throws ProofFault: `notProvable` without the list, since no answer of JSON-RPC holds it
 */
export function checkRequests(sha256: Sha256, block: Captured, requests: unknown): void {
  const claimed = block['requestsHash'];
  if (requests === undefined || requests === null) throw notProvable('requestsHash', 'the list of requests was not captured');
  if (!Array.isArray(requests)) throw wrong('requests', 'is not a list');
  const list = requests.map((request: unknown, i) => dataBytes(request, `requests[${i}]`));
  const types = list.map((request) => request[0] ?? -1);
  const odd = types.findIndex((type, i) => i > 0 && type <= (types[i - 1] as number));
  if (odd >= 0) throw wrong(`requests[${odd}]`, 'is not in order of types');
  const hash = toHex(requestsHash(sha256, list));
  if (hash !== String(claimed).toLowerCase()) throw wrong('requestsHash', `the header has ${String(claimed)}, the list gives ${hash}`);
}
