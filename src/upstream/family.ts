import { isRecord, readHash, readQuantity } from '../chain/evm/fields.ts';
import type { BlockMark, Head } from '../chain/head.ts';

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

/** Reads one parsed answer; null for what is no JSON-RPC answer. */
export function readAnswer(value: unknown): Answer | null {
  if (!isRecord(value)) return null;
  const { id, error } = value;
  if (isRecord(error)) return typeof error.code === 'number' ? { kind: 'error', id, code: error.code } : null;
  return value.result === undefined ? null : { kind: 'result', id, value: value.result };
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
