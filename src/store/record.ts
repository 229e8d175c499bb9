import { createHash } from 'node:crypto';
import type { Entry } from '../cache/entry.ts';
import { ownValue } from '../rpc/envelope.ts';

/** Layout: checksum, version, flags, number, length of hash, length of key, hash, key, value. */
const CHECKSUM_BYTES = 16;
const VERSION_AT = CHECKSUM_BYTES;
const FLAGS_AT = VERSION_AT + 1;
const NUMBER_AT = FLAGS_AT + 1;
const HASH_LENGTH_AT = NUMBER_AT + 8;
const KEY_LENGTH_AT = HASH_LENGTH_AT + 1;
const HEAD_BYTES = KEY_LENGTH_AT + 4;

const VERSION = 1;
const IS_ERROR = 1;
const IS_STATIC = 2;

/** What a record says of its block without being read as a whole. */
export interface RecordHead {
  readonly number: number;
  readonly isStatic: boolean;
}

const checksum = (bytes: Buffer): Buffer => createHash('sha256').update(bytes.subarray(CHECKSUM_BYTES)).digest().subarray(0, CHECKSUM_BYTES);

/** A final or static answer as bytes that tell when they were changed. */
export function encodeRecord({ key, value, isError, bond, number, hash }: Entry): Buffer {
  const bytes = Buffer.allocUnsafe(HEAD_BYTES + hash.length + key.length + value.length);
  bytes[VERSION_AT] = VERSION;
  bytes[FLAGS_AT] = (isError ? IS_ERROR : 0) | (bond === 'static' ? IS_STATIC : 0);
  bytes.writeDoubleBE(number, NUMBER_AT);
  bytes[HASH_LENGTH_AT] = hash.length;
  bytes.writeUInt32BE(key.length, KEY_LENGTH_AT);
  bytes.write(hash, HEAD_BYTES, 'latin1');
  bytes.write(key, HEAD_BYTES + hash.length, 'latin1');
  value.copy(bytes, HEAD_BYTES + hash.length + key.length);
  checksum(bytes).copy(bytes);
  return bytes;
}

/** Whether the bytes are as they were written. */
export const isWhole = (bytes: Buffer): boolean =>
  bytes.length >= HEAD_BYTES && bytes[VERSION_AT] === VERSION && checksum(bytes).equals(bytes.subarray(0, CHECKSUM_BYTES));

export const headOf = (bytes: Buffer): RecordHead => ({ number: bytes.readDoubleBE(NUMBER_AT), isStatic: ((bytes[FLAGS_AT] as number) & IS_STATIC) !== 0 });

/** Whether the key of a whole record is that of a method. */
export function isOfMethod(bytes: Buffer, method: string): boolean {
  const at = HEAD_BYTES + (bytes[HASH_LENGTH_AT] as number);
  return bytes.toString('latin1', at, at + method.length + 1) === `${method}\n`;
}

/** The answer in a record, copied out of it; null when it is damaged, or the record of another call. */
export function decodeRecord(bytes: Buffer, key: string): Entry | null {
  if (!isWhole(bytes)) return null;
  const { number, isStatic } = headOf(bytes);
  const keyAt = HEAD_BYTES + (bytes[HASH_LENGTH_AT] as number);
  const valueAt = keyAt + bytes.readUInt32BE(KEY_LENGTH_AT);
  if (bytes.toString('latin1', keyAt, valueAt) !== key) return null;
  return {
    key,
    value: ownValue(bytes, valueAt, bytes.length),
    isError: ((bytes[FLAGS_AT] as number) & IS_ERROR) !== 0,
    bond: isStatic ? 'static' : 'block',
    number,
    hash: bytes.toString('latin1', HEAD_BYTES, keyAt),
    askedMs: 0,
    class: isStatic ? 'static' : 'finalized',
  };
}
