import { keccak_256 } from '@noble/hashes/sha3';

const RAW = /^0x(?:[0-9a-fA-F]{2})+$/;
/** First byte of a blob transaction; what is sent of it has the blobs around the part that is hashed. */
const BLOB_TYPE = 0x03;

/**
 * Hash of a signed transaction as `eth_sendRawTransaction` takes it: keccak-256 of its bytes, typed (EIP-2718) or legacy.
 * @param raw 0x-prefixed hex
 * @returns the hash, lower case; null where it is not the hash of all the bytes (blob transactions), or `raw` is no hex
 */
export function transactionHash(raw: string): string | null {
  if (!RAW.test(raw)) return null;
  const bytes = Buffer.from(raw.slice(2), 'hex');
  return bytes[0] === BLOB_TYPE ? null : `0x${Buffer.from(keccak_256(bytes)).toString('hex')}`;
}
