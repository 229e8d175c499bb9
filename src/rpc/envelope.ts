import type { Fault } from '../base/fault.ts';
import { quoteAscii } from './text.ts';

/** Where the id begins in each answer that is made here. */
export const ID_AT = '{"jsonrpc":"2.0","id":'.length;

const PLAIN_METHOD = /^[A-Za-z0-9_.:/-]+$/;

/**
 * The request that goes to a node, always in our own words: only what was checked is in it, and nothing occurs twice.
 * Absent params become `[]`: some nodes refuse a request without the member.
 * @param method decoded name
 * @param paramsRaw raw JSON array or object, or ''
 * @returns raw string: one char per byte
 */
export function requestEnvelope(id: number, method: string, paramsRaw: string): string {
  const name = PLAIN_METHOD.test(method) ? `"${method}"` : quoteAscii(method);
  return `{"jsonrpc":"2.0","id":${id},"method":${name},"params":${paramsRaw === '' ? '[]' : paramsRaw}}`;
}

/** Several request envelopes as one upstream batch. */
export function requestBatch(requests: readonly string[]): string {
  return `[${requests.join(',')}]`;
}

/** The answer with a node's result, its bytes copied once as they are. */
export function resultEnvelope(idRaw: string, resultRaw: Buffer): Buffer {
  return wrap(`{"jsonrpc":"2.0","id":${idRaw},"result":`, resultRaw);
}

/** The answer with a node's error object, its bytes copied once as they are; for one that is `wellFormed`. */
export function nodeErrorEnvelope(idRaw: string, errorRaw: Buffer): Buffer {
  return wrap(`{"jsonrpc":"2.0","id":${idRaw},"error":`, errorRaw);
}

/** The answer with an error of our own. */
export function errorEnvelope(idRaw: string, fault: Fault): Buffer {
  return composedError(idRaw, fault.spec.code, fault.message, fault.dataRaw);
}

/**
 * The answer with an error put together from parts, for a node's error that is not one by JSON-RPC.
 * @param message decoded text
 * @param dataRaw raw JSON, or null for none
 */
export function composedError(idRaw: string, code: number, message: string, dataRaw: string | null): Buffer {
  const data = dataRaw === null ? '' : `,"data":${dataRaw}`;
  return Buffer.from(`{"jsonrpc":"2.0","id":${idRaw},"error":{"code":${code},"message":${quoteAscii(message)}${data}}}`, 'latin1');
}

/** Answers of a batch as one array, each copied once. */
export function joinBatch(parts: readonly Buffer[]): Buffer {
  let sizeBytes = parts.length === 0 ? 2 : parts.length + 1;
  for (const part of parts) sizeBytes += part.length;
  const joined = Buffer.allocUnsafe(sizeBytes);
  joined[0] = 0x5b;
  let at = 1;
  for (const part of parts) {
    if (at > 1) joined[at++] = 0x2c;
    at += part.copy(joined, at);
  }
  joined[at] = 0x5d;
  return joined;
}

function wrap(head: string, value: Buffer): Buffer {
  const sizeBytes = head.length + value.length + 1;
  const whole = Buffer.allocUnsafe(sizeBytes);
  whole.write(head, 0, 'latin1');
  value.copy(whole, head.length);
  whole[sizeBytes - 1] = 0x7d;
  return whole;
}
