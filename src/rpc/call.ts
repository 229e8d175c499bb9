import { Fault } from '../base/fault.ts';
import type { MemberReader } from './member.ts';
import { decodeString, isPlainString, rawSlice } from './text.ts';
import { LOWER_N, MINUS, OPEN_BRACE, OPEN_BRACKET, QUOTE, ZERO } from './token.ts';

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
export const ID = 1;
const METHOD = 2;
const PARAMS = 3;

/** Up to this size an envelope is cut out whole. */
const SMALL_ENVELOPE_BYTES = 2048;

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
  if (fault !== null) {
    return faultyCall(fault, readableId(reader) ? rawSlice(bytes, from[ID] as number, to[ID] as number) : 'null');
  }
  const cut = new Cut(reader);
  const params = from[PARAMS] as number;
  return {
    idRaw: reader.has(ID) ? cut.value(ID) : null,
    method: cut.text(METHOD),
    paramsRaw: params === 0 || bytes[params] === LOWER_N ? '' : cut.value(PARAMS),
    fault: null,
  };
}

/**
 * Cuts strings out of an envelope. One native call and slices of its result are cheaper than a native call for each;
 * but a slice keeps all of its source alive, so only small envelopes are taken whole.
 */
class Cut {
  private readonly reader: MemberReader;
  private readonly whole: string | null;

  constructor(reader: MemberReader) {
    const { bytes, start, end } = reader;
    this.reader = reader;
    this.whole = end - start <= SMALL_ENVELOPE_BYTES ? rawSlice(bytes, start, end) : null;
  }

  /** A member's raw value. */
  value(n: number): string {
    const { bytes, start, from, to } = this.reader;
    const begin = from[n] as number;
    const end = to[n] as number;
    return this.whole === null ? rawSlice(bytes, begin, end) : this.whole.slice(begin - start, end - start);
  }

  /** A string member's meaning. */
  text(n: number): string {
    const { bytes, start, from, to } = this.reader;
    const begin = from[n] as number;
    const end = to[n] as number;
    if (this.whole === null || !isPlainString(bytes, begin, end)) return decodeString(bytes, begin, end);
    return this.whole.slice(begin + 1 - start, end - 1 - start);
  }
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
  if (to - from === 5) return bytes[from + 1] === 0x32 && bytes[from + 2] === 0x2e && bytes[from + 3] === ZERO;
  // 20 = every char as an escape
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
