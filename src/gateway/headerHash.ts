import { keccak256 } from '../chain/evm/keccak.ts';
import { encodeHeader } from '../proof/header.ts';
import { toHex } from '../proof/hex.ts';

/** The hash that a header's fields make; '' when they make none. */
export function headerHash(header: Readonly<Record<string, unknown>>): string {
  try {
    return toHex(keccak256(encodeHeader(header)));
  } catch {
    return '';
  }
}
