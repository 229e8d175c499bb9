import { isUtf8 } from 'node:buffer';
import { Fault } from '../base/fault.ts';
import { CALL_NAMES, ID, faultyCall, judgeCall } from './call.ts';
import type { ScannedCall } from './call.ts';
import { failureOf, skipEnd, skipValue } from './json.ts';
import { MemberReader } from './member.ts';
import { CLOSE_BRACKET, COMMA, OPEN_BRACE, OPEN_BRACKET, byteAt, skipSpace } from './token.ts';

export type { ScannedCall } from './call.ts';

/** What a request body may be; each refusal names its limit. */
export interface ScanLimits {
  /** Arrays and objects open at once, the batch and the request object included. */
  readonly maxDepth: number;
  readonly maxBatchItems: number;
  /** Bytes of a method's name as written, without quotes. */
  readonly maxMethodBytes: number;
}

/**
 * A request body. `single` and the entries of `batch` are calls; `fault` refuses the body as a whole, or a single request
 * that is invalid. An entry of a batch carries its own fault.
 */
export type ScannedBody =
  | { readonly kind: 'single'; readonly call: ScannedCall; /** Where its id begins; 0 = it has none. */ readonly idAt: number }
  | { readonly kind: 'batch'; readonly calls: readonly ScannedCall[] }
  | { readonly kind: 'fault'; readonly fault: Fault; readonly idRaw: string };

/**
 * Reads a request body: strict JSON (RFC 8259), valid UTF-8, no byte order mark (it is refused as JSON.parse and Go do),
 * then JSON-RPC 2.0. Nothing is built but the strings of the calls. Never throws.
 * @param body shorter than 1 GiB
 */
export function scanBody(body: Buffer, limits: ScanLimits): ScannedBody {
  if (!isUtf8(body)) return refuse(new Fault('parse', 'not valid UTF-8'));
  const scanned = scan(reused.open(body), limits);
  reused.open(NOTHING);
  return scanned;
}

/** One for all bodies: each is read whole before the next. */
const NOTHING = Buffer.alloc(0);
const reused = new MemberReader(NOTHING, CALL_NAMES);

function scan(reader: MemberReader, limits: ScanLimits): ScannedBody {
  const { bytes: body } = reader;
  const start = skipSpace(body, 0);
  const first = byteAt(body, start);
  if (first === OPEN_BRACKET) return scanBatch(reader, start, limits);
  const isObject = first === OPEN_BRACE && limits.maxDepth > 0;
  const end = isObject ? reader.read(start, limits.maxDepth - 1) : skipValue(body, start, limits.maxDepth, reader.even);
  const failure = skipEnd(body, end);
  if (failure < 0) return refuse(failureOf(body, failure));
  if (!isObject) return refuse(new Fault('invalidRequest', 'not an object'));
  const call = judgeCall(reader, limits.maxMethodBytes);
  return call.fault === null ? { kind: 'single', call, idAt: reader.from[ID] as number } : refuse(call.fault, call.idRaw ?? 'null');
}

function refuse(fault: Fault, idRaw = 'null'): ScannedBody {
  return { kind: 'fault', fault, idRaw };
}

function scanBatch(reader: MemberReader, start: number, limits: ScanLimits): ScannedBody {
  const { bytes } = reader;
  const calls: ScannedCall[] = [];
  let i = skipSpace(bytes, start + 1);
  if (limits.maxDepth < 1) return refuse(new Fault('depth', `at byte ${start}`));
  if (byteAt(bytes, i) === CLOSE_BRACKET) {
    const failure = skipEnd(bytes, i + 1);
    return refuse(failure < 0 ? failureOf(bytes, failure) : new Fault('emptyBatch'));
  }
  for (;;) {
    if (calls.length === limits.maxBatchItems) {
      return refuse(new Fault('batchTooLong', `over ${limits.maxBatchItems} entries`));
    }
    const isObject = byteAt(bytes, i) === OPEN_BRACE && limits.maxDepth > 1;
    const end = isObject ? reader.read(i, limits.maxDepth - 2) : skipValue(bytes, i, limits.maxDepth - 1, reader.even);
    if (end < 0) return refuse(failureOf(bytes, end));
    calls.push(isObject ? judgeCall(reader, limits.maxMethodBytes) : faultyCall(new Fault('invalidRequest', 'not an object')));
    i = skipSpace(bytes, end);
    const c = byteAt(bytes, i);
    if (c === CLOSE_BRACKET) break;
    if (c !== COMMA) return refuse(failureOf(bytes, ~i));
    i = skipSpace(bytes, i + 1);
  }
  const failure = skipEnd(bytes, i + 1);
  return failure < 0 ? refuse(failureOf(bytes, failure)) : { kind: 'batch', calls };
}
