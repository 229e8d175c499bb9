import type { Keccak } from './fault.ts';

/** Bytes of a bloom filter of logs. */
export const BLOOM_BYTES = 256;

/** Sets the three bits of an address or topic (yellow paper, section 4.3.1). */
export function addToBloom(keccak: Keccak, bloom: Uint8Array, item: Uint8Array): void {
  const hash = keccak(item);
  for (let i = 0; i < 6; i += 2) {
    const bit = (((hash[i] as number) << 8) | (hash[i + 1] as number)) & 2047;
    const at = BLOOM_BYTES - 1 - (bit >> 3);
    bloom[at] = (bloom[at] as number) | (1 << (bit & 7));
  }
}

/** Adds all bits of another filter. */
export function mergeBloom(into: Uint8Array, from: Uint8Array): void {
  for (let i = 0; i < BLOOM_BYTES; i++) into[i] = (into[i] as number) | (from[i] as number);
}
