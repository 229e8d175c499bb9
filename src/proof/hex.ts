import { wrong } from './fault.ts';

const HEX = '0123456789abcdef';
const PAIRS = Array.from({ length: 256 }, (_, byte) => `${HEX[byte >> 4]}${HEX[byte & 15]}`);

const digit = (code: number): number => {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
};

/** Lower-case hex with 0x. */
export function toHex(bytes: Uint8Array): string {
  let text = '0x';
  for (const byte of bytes) text += PAIRS[byte];
  return text;
}

const isPrefixed = (text: string): boolean => text.charCodeAt(0) === 48 && (text.charCodeAt(1) | 32) === 120;

/**
 * Bytes of a hex text.
 * @param length how many there must be; absent = any
 * @throws ProofFault naming the field when it is not such a text
 */
export function dataBytes(value: unknown, field: string, length?: number): Uint8Array {
  if (typeof value !== 'string' || !isPrefixed(value) || value.length % 2 !== 0) throw wrong(field, 'is not hex data');
  const bytes = new Uint8Array(value.length / 2 - 1);
  if (length !== undefined && bytes.length !== length) throw wrong(field, `has ${bytes.length} bytes, not ${length}`);
  for (let i = 0; i < bytes.length; i++) {
    const high = digit(value.charCodeAt(2 * i + 2));
    const low = digit(value.charCodeAt(2 * i + 3));
    if ((high | low) < 0) throw wrong(field, 'is not hex data');
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}

const MAX_QUANTITY_DIGITS = 64;

/**
 * A number as RLP has it: big-endian without leading zeros, none at all for 0. Leading zeros are read over, and `0x` is 0: some
 * nodes answer so, and what it stands for is in no doubt.
 * @throws ProofFault naming the field when it is not a quantity of at most 256 bits
 */
export function quantityBytes(value: unknown, field: string): Uint8Array {
  if (typeof value !== 'string' || !isPrefixed(value)) throw wrong(field, 'is not a quantity');
  let from = 2;
  while (from < value.length && value.charCodeAt(from) === 48) from++;
  const digits = value.slice(from);
  if (digits.length > MAX_QUANTITY_DIGITS) throw wrong(field, 'is over 256 bits');
  return dataBytes(`0x${digits.length % 2 === 0 ? '' : '0'}${digits}`, field);
}

/** A quantity that is a whole number below 2^53. */
export function quantityNumber(value: unknown, field: string): number {
  const bytes = quantityBytes(value, field);
  const number = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  if (!Number.isSafeInteger(number)) throw wrong(field, 'is over 2^53');
  return number;
}

/** Whether two byte strings are the same. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
