import { Buffer } from 'node:buffer';
import type { Fault } from '../base/fault.ts';
import { quoteAscii } from './text.ts';

const HEAD = Buffer.from('{"jsonrpc":"2.0","id":');
const RESULT = Buffer.from(',"result":');
const ERROR = Buffer.from(',"error":');

const CLOSE = 0x7d;

/** Values from this size on are sent from where they are kept; smaller ones are copied sooner than sent in two pieces. */
const PARTED_BYTES = 8192;

/** Values up to this are copied byte by byte. */
const FEW_BYTES = 128;

/** Where the id begins in each answer that is made here. */
export const ID_AT = HEAD.length;

const PLAIN_METHOD = /^[A-Za-z0-9_.:/-]+$/;

/**
 * The request that goes to a node, always in our own words: only what was checked is in it, and nothing occurs twice.
 * Absent params become `[]`: some nodes refuse a request without the member.
 * @param method decoded name
 * @param paramsRaw raw JSON array or object, or ''
 * @returns raw string: one char per byte
 */
export const requestEnvelope = (id: number, method: string, paramsRaw: string): string => requestOf(id, requestMiddle(method), paramsRaw);

/** What stands between id and params in each request for a method. */
export const requestMiddle = (method: string): string => `,"method":${PLAIN_METHOD.test(method) ? `"${method}"` : quoteAscii(method)},"params":`;

/** The same as `requestEnvelope`. @param middle made by `requestMiddle` */
export const requestOf = (id: number, middle: string, paramsRaw: string): string =>
  `{"jsonrpc":"2.0","id":${id}${middle}${paramsRaw === '' ? '[]' : paramsRaw}}`;

/** Several request envelopes as one upstream batch. */
export function requestBatch(requests: readonly string[]): string {
  return `[${requests.join(',')}]`;
}

/** The answer with a node's result, the bytes `[from, to)` of a message, copied once as they are. */
export function resultEnvelope(idRaw: string, bytes: Uint8Array, from = 0, to = bytes.length): Buffer {
  const whole = opened(idRaw, RESULT, to - from + 1);
  put(bytes, whole, from, to);
  return whole;
}

/** The answer with a node's error object, the bytes `[from, to)`, copied once as they are; for one that is `wellFormed`. */
export function nodeErrorEnvelope(idRaw: string, bytes: Uint8Array, from = 0, to = bytes.length): Buffer {
  const whole = opened(idRaw, ERROR, to - from + 1);
  put(bytes, whole, from, to);
  return whole;
}

/**
 * A copy of a value, the bytes `[from, to)`, in a buffer of its own: a slice would keep the whole message, or a pool, alive. Behind one of
 * `PARTED_BYTES` lies the brace that closes an answer, so that both can be sent from there.
 */
export function ownValue(bytes: Buffer, from: number, to: number): Buffer {
  const sizeBytes = to - from;
  const own = Buffer.allocUnsafeSlow(sizeBytes < PARTED_BYTES ? sizeBytes : sizeBytes + 1);
  bytes.copy(own, 0, from, to);
  if (sizeBytes < PARTED_BYTES) return own;
  own[sizeBytes] = CLOSE;
  return own.subarray(0, sizeBytes);
}

/** A large value and the brace that closes an answer, where one lies behind it in memory, as behind those of `ownValue`; else null. Copies nothing. */
export function closedValue(value: Uint8Array): Uint8Array | null {
  if (value.length < PARTED_BYTES) return null;
  const end = value.byteOffset + value.length;
  if (end >= value.buffer.byteLength) return null;
  const closed = new Uint8Array(value.buffer, value.byteOffset, value.length + 1);
  return closed[value.length] === CLOSE ? closed : null;
}

/** The answer up to its value. */
export const answerHead = (idRaw: string, isError: boolean): Buffer => opened(idRaw, isError ? ERROR : RESULT, 0);

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

/** An answer up to its value, and room for so many bytes more. */
function opened(idRaw: string, member: Buffer, moreBytes: number): Buffer {
  const idBytes = idRaw.length;
  const whole = Buffer.allocUnsafe(HEAD.length + idBytes + member.length + moreBytes);
  whole.set(HEAD);
  for (let i = 0; i < idBytes; i++) whole[HEAD.length + i] = idRaw.charCodeAt(i);
  whole.set(member, HEAD.length + idBytes);
  return whole;
}

/** Copies a value to the end, and closes the answer; few bytes one by one, which a native call costs more than. */
function put(bytes: Uint8Array, whole: Buffer, from: number, to: number): void {
  const at = whole.length - 1 - (to - from);
  whole[whole.length - 1] = CLOSE;
  if (to - from > FEW_BYTES) whole.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at);
  else for (let i = from; i < to; i++) whole[at + i - from] = bytes[i] as number;
}
