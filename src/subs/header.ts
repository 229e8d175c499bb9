import { readBloom } from '../chain/evm/bloom.ts';
import { isRecord, readHash, readQuantity } from '../chain/evm/fields.ts';

/** A block as subscriptions see it. */
export interface BlockHeader {
  readonly number: number;
  /** 0x-prefixed, lower case, like the parent's. */
  readonly hash: string;
  readonly parentHash: string;
  /** null where the chain has none. */
  readonly bloom: Uint8Array | null;
  /** JSON of the header as clients are told it. */
  readonly raw: string;
}

/** What a block has and a header in a notice has not; Geth leaves out the same. */
const BODY_FIELDS: ReadonlySet<string> = new Set(['transactions', 'uncles', 'withdrawals', 'size', 'totalDifficulty']);

/**
 * Reads a block or header object; null for what is none.
 * @param trustBloom false = the chain's blooms mean nothing
 */
export function readHeader(value: unknown, trustBloom: boolean): BlockHeader | null {
  if (!isRecord(value)) return null;
  const number = readQuantity(value['number']);
  const hash = readHash(value['hash']);
  const parentHash = readHash(value['parentHash']);
  if (number < 0 || hash === '' || parentHash === '') return null;
  const fields = Object.entries(value).filter(([name]) => !BODY_FIELDS.has(name));
  return { number, hash, parentHash, bloom: trustBloom ? readBloom(value['logsBloom']) : null, raw: JSON.stringify(Object.fromEntries(fields)) };
}
