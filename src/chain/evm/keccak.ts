import { keccak_256 } from '@noble/hashes/sha3';

/** Keccak-256, the hash of Ethereum (not SHA3-256). */
export function keccak256(bytes: Uint8Array): Uint8Array {
  return keccak_256(bytes);
}
