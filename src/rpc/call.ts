import { Fault } from '../base/fault.ts';
import type { MemberReader } from './member.ts';
import { decodeString, rawSlice } from './text.ts';
import { LOWER_N, MINUS, OPEN_BRACE, OPEN_BRACKET, QUOTE } from './token.ts';

/** One JSON-RPC request as the client wrote it. Raw strings hold one char per byte. */
export interface ScannedCall {
  /** The id's own bytes; null = a notification, which is not answered. With a fault it is never null: 'null' where unreadable. */
  readonly idRaw: string | null;
  /** Decoded name; '' with a fault. */
  readonly method: string;
  /** The params' own bytes, an array or an object; '' when absent or null. */
  readonly paramsRaw: string;
  /** Why this is not a request, or null. */
  readonly fault: Fault | null;
}

/** The envelope's members, in the order of the indices below. */
export const CALL_NAMES: readonly string[] = ['jsonrpc', 'id', 'method', 'params'];
const JSONRPC = 0;
const ID = 1;
const METHOD = 2;
const PARAMS = 3;

/** A batch entry, or a whole body, that is refused. */
export function faultyCall(fault: Fault, idRaw = 'null'): ScannedCall {
  return { idRaw, method: '', paramsRaw: '', fault };
}

/**
 * Judges the envelope that `reader` has just read.
 * `params: null` is taken as absent, as Geth does: clients send it. A missing `jsonrpc` is refused. Other members are dropped.
 * @param maxMethodBytes most bytes of the method's name as written, without quotes
 */
export function judgeCall(reader: MemberReader, maxMethodBytes: number): ScannedCall {
  const fault = faultOf(reader, maxMethodBytes);
  const { bytes, from, to } = reader;
  const idRaw = reader.has(ID) ? rawSlice(bytes, from[ID] as number, to[ID] as number) : null;
  if (fault !== null) return faultyCall(fault, readableId(reader) && idRaw !== null ? idRaw : 'null');
  const method = decodeString(bytes, from[METHOD] as number, to[METHOD] as number);
  const params = from[PARAMS] as number;
  const paramsRaw = params === 0 || bytes[params] === LOWER_N ? '' : rawSlice(bytes, params, to[PARAMS] as number);
  return { idRaw, method, paramsRaw, fault: null };
}

function faultOf(reader: MemberReader, maxMethodBytes: number): Fault | null {
  if (reader.twice !== 0) return invalid(`"${firstName(reader.twice)}" occurs twice`);
  if (reader.recased !== 0) return invalid(`"${firstName(reader.recased)}" must be in lower case`);
  if (!isVersion2(reader)) return invalid('"jsonrpc" must be "2.0"');
  if (reader.has(ID) && !readableId(reader)) return invalid('"id" must be a string, a number or null');
  const { bytes, from, to } = reader;
  const method = from[METHOD] as number;
  const methodBytes = (to[METHOD] as number) - method - 2;
  if (bytes[method] !== QUOTE || method === 0 || methodBytes === 0) return invalid('"method" must be a non-empty string');
  if (methodBytes > maxMethodBytes) return new Fault('methodTooLong', `over ${maxMethodBytes} bytes`);
  if (!mayBeParams(reader)) return invalid('"params" must be an array or an object');
  return null;
}

function invalid(detail: string): Fault {
  return new Fault('invalidRequest', detail);
}

function firstName(bits: number): string {
  return CALL_NAMES[31 - Math.clz32(bits & -bits)] as string;
}

function isVersion2(reader: MemberReader): boolean {
  const { bytes } = reader;
  const from = reader.from[JSONRPC] as number;
  const to = reader.to[JSONRPC] as number;
  if (from === 0 || bytes[from] !== QUOTE) return false;
  // `"2.0"`, plain or in escapes
  return to - from <= 20 && decodeString(bytes, from, to) === '2.0';
}

function readableId(reader: MemberReader): boolean {
  if (((reader.twice | reader.recased) & (1 << ID)) !== 0) return false;
  const c = reader.bytes[reader.from[ID] as number] as number;
  return c === QUOTE || c === LOWER_N || c === MINUS || (c >= 0x30 && c <= 0x39);
}

function mayBeParams(reader: MemberReader): boolean {
  const from = reader.from[PARAMS] as number;
  const c = reader.bytes[from];
  return from === 0 || c === OPEN_BRACKET || c === OPEN_BRACE || c === LOWER_N;
}
