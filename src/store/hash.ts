import { createHash } from 'node:crypto';
import type { Sha256 } from '../snapshot/bytes.ts';

/** SHA-256 of the system. */
export const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** SHA-256 in hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
