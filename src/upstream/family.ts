import type { BlockMark, Head } from '../chain/head.ts';

const QUANTITY = /^0x[0-9a-f]{1,16}$/;
const HASH = /^0x[0-9a-f]{64}$/;

/** A JSON-RPC answer, as far as a question of our own needs it. */
export type Answer =
  | { readonly kind: 'result'; readonly id: unknown; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: unknown; readonly code: number };

/** Text of one call with ready params. */
export function question(id: number, method: string, paramsRaw: string): string {
  return `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${paramsRaw}}`;
}

/** Parses JSON; undefined for what is none. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** True for an object that is no array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads one parsed answer; null for what is no JSON-RPC answer. */
export function readAnswer(value: unknown): Answer | null {
  if (!isRecord(value)) return null;
  const { id, error } = value;
  if (isRecord(error)) return typeof error.code === 'number' ? { kind: 'error', id, code: error.code } : null;
  return value.result === undefined ? null : { kind: 'result', id, value: value.result };
}

/** A hex quantity up to 2^53 - 1, or -1. */
export function readQuantity(value: unknown): number {
  if (typeof value !== 'string' || !QUANTITY.test(value.toLowerCase())) return -1;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : -1;
}

/** A 32-byte hash in lower case, or ''. */
function readHash(value: unknown): string {
  const text = typeof value === 'string' ? value.toLowerCase() : '';
  return HASH.test(text) ? text : '';
}

/** Number and hash of a block; null when either is missing or malformed. */
export function readMark(block: unknown): BlockMark | null {
  if (!isRecord(block)) return null;
  const number = readQuantity(block.number);
  const hash = readHash(block.hash);
  return number < 0 || hash === '' ? null : { number, hash };
}

/** The head that a block or header object tells of, or the name of the first field that is wrong. */
export function readHead(block: unknown): Head | string {
  if (!isRecord(block)) return 'the block is no object';
  const number = readQuantity(block.number);
  if (number < 0) return 'number is no quantity';
  const hash = readHash(block.hash);
  if (hash === '') return 'hash is no 32-byte hash';
  const parentHash = readHash(block.parentHash);
  if (parentHash === '') return 'parentHash is no 32-byte hash';
  const timestampS = readQuantity(block.timestamp);
  return timestampS < 0 ? 'timestamp is no quantity' : { number, hash, parentHash, timestampS };
}
