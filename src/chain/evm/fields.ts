const QUANTITY = /^0x[0-9a-f]{1,16}$/;
const HASH = /^0x[0-9a-f]{64}$/;

/** True for an object that is no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A hex quantity up to 2^53 - 1, or -1. */
export function readQuantity(value: unknown): number {
  if (typeof value !== 'string' || !QUANTITY.test(value.toLowerCase())) return -1;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : -1;
}

/** A 32-byte hash in lower case, or ''. */
export function readHash(value: unknown): string {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return HASH.test(text) ? text : '';
}
