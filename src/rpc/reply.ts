import { failureOf, skipEnd, skipValue } from './json.ts';
import { MemberReader } from './member.ts';
import { decodeString, rawSlice } from './text.ts';
import { CLOSE_BRACKET, COMMA, LOWER_N, OPEN_BRACE, OPEN_BRACKET, QUOTE, byteAt, skipSpace } from './token.ts';

/** A node's result: the bytes `[start, end)` of the body, to be passed on as they are. */
export interface ResultReply {
  readonly kind: 'result';
  /** Our number; `NO_ID` or `ODD_ID` where it is none. */
  readonly id: number;
  readonly start: number;
  readonly end: number;
}

/** A node's error: the bytes `[start, end)` of the body, and what is in them. */
export interface ErrorReply {
  readonly kind: 'error';
  readonly id: number;
  readonly start: number;
  readonly end: number;
  /** An object with an integer code and a text as message. Otherwise it is to be composed anew for a client. */
  readonly wellFormed: boolean;
  /** 0 where the node gave no integer. */
  readonly code: number;
  /** Decoded; '' where the node gave none. An error that is a bare string is its message. */
  readonly message: string;
  /** Raw JSON of `data`, one char per byte, or null when absent. */
  readonly dataRaw: string | null;
}

/** The id of a reply that has none, or null. */
export const NO_ID = -1;
/** The id of a reply that is no number as we send them: not whole, in quotes, or of too many digits. */
export const ODD_ID = -2;

/** Not an answer by JSON-RPC. `why` holds nothing of the body. */
export interface BadReply {
  readonly kind: 'bad';
  readonly why: string;
}

export type SplitReply = ResultReply | ErrorReply | BadReply;

/** The members of an answer, in the order of the indices below. */
export const REPLY_NAMES: readonly string[] = ['id', 'result', 'error'];
const ID = 0;
const RESULT = 1;
const ERROR = 2;

const ERROR_NAMES: readonly string[] = ['code', 'message', 'data'];
const CODE = 0;
const MESSAGE = 1;
const DATA = 2;

/** All numbers of so many digits are exact. */
const MAX_ID_DIGITS = 15;

/** Deeper than any trace of nested calls (EVM: 1024 frames of two levels each). */
export const MAX_REPLY_DEPTH = 16_384;

/**
 * Splits a node's answer to one call. The whole body is checked against the JSON grammar (not its UTF-8), so that one cut
 * short is `bad`; nothing of the result is built. Members may come in any order; `jsonrpc` may be absent, others are skipped.
 * An error that is not null beats a result; a null error beside a result is none. Never throws.
 * @param body shorter than 1 GiB
 */
export function splitReply(body: Buffer): SplitReply {
  const start = skipSpace(body, 0);
  if (byteAt(body, start) !== OPEN_BRACE) return notAnObject(body, start);
  const reader = new MemberReader(body, REPLY_NAMES);
  const end = reader.read(start, MAX_REPLY_DEPTH);
  const failure = skipEnd(body, end);
  return failure < 0 ? notJson(body, failure) : judgeReply(reader);
}

/**
 * Splits a node's answer to a batch, entry by entry, to be matched by id: nodes may answer in any order, and may leave out.
 * @returns the entries; or one reply, where the node answered the batch with a single object (mostly an error) or garbage
 */
export function splitBatchReply(body: Buffer): readonly SplitReply[] | SplitReply {
  let i = skipSpace(body, 0);
  if (byteAt(body, i) !== OPEN_BRACKET) return splitReply(body);
  const reader = new MemberReader(body, REPLY_NAMES);
  const replies: SplitReply[] = [];
  i = skipSpace(body, i + 1);
  if (byteAt(body, i) === CLOSE_BRACKET) i++;
  else {
    for (;;) {
      const isObject = byteAt(body, i) === OPEN_BRACE;
      const end = isObject ? reader.read(i, MAX_REPLY_DEPTH) : skipValue(body, i, MAX_REPLY_DEPTH, reader.even);
      if (end < 0) return notJson(body, end);
      replies.push(isObject ? judgeReply(reader) : { kind: 'bad', why: 'an entry is not an object' });
      i = skipSpace(body, end);
      const c = byteAt(body, i++);
      if (c === CLOSE_BRACKET) break;
      if (c !== COMMA) return notJson(body, ~(i - 1));
      i = skipSpace(body, i);
    }
  }
  const failure = skipEnd(body, i);
  return failure < 0 ? notJson(body, failure) : replies;
}

/** True when the bytes `[start, end)` of a result are `null`. */
export function isNullResult(body: Buffer, reply: ResultReply): boolean {
  return body[reply.start] === LOWER_N;
}

/** The id that stands at `[from, to)`, a whole JSON value, as the number that we sent. Makes no text of it. */
function idAt(bytes: Buffer, from: number, to: number): number {
  if (bytes[from] === LOWER_N) return NO_ID;
  if (to - from > MAX_ID_DIGITS) return ODD_ID;
  let id = 0;
  for (let i = from; i < to; i++) {
    const digit = (bytes[i] as number) - 0x30;
    if (digit < 0 || digit > 9) return ODD_ID;
    id = id * 10 + digit;
  }
  return id;
}

/** The same of an id's own text; null = there is none. */
export function integerId(idRaw: string | null): number {
  if (idRaw === null || idRaw === 'null') return NO_ID;
  const bytes = Buffer.from(idRaw, 'latin1');
  return bytes.length === 0 ? ODD_ID : idAt(bytes, 0, bytes.length);
}

function bad(why: string): BadReply {
  return { kind: 'bad', why };
}

function notJson(body: Buffer, failure: number): BadReply {
  if (~failure === body.length) return bad(`cut short after ${body.length} bytes`);
  return bad(failureOf(body, failure).message);
}

function notAnObject(body: Buffer, start: number): BadReply {
  if (start === body.length) return bad('empty');
  if (body[start] === 0x3c) return bad('markup instead of JSON');
  const failure = skipEnd(body, skipValue(body, start, MAX_REPLY_DEPTH, false));
  return failure < 0 ? notJson(body, failure) : bad('not an object');
}

/** Judges the answer that `reader` has just read by `REPLY_NAMES` or more. */
export function judgeReply(reader: MemberReader): SplitReply {
  const { bytes, from, to } = reader;
  if (reader.twice !== 0) return bad('a member occurs twice');
  const id = reader.has(ID) ? idAt(bytes, from[ID] as number, to[ID] as number) : NO_ID;
  if (reader.has(ERROR) && bytes[from[ERROR] as number] !== LOWER_N) return readError(reader, id);
  if (!reader.has(RESULT)) return bad('neither result nor error');
  return { kind: 'result', id, start: from[RESULT] as number, end: to[RESULT] as number };
}

function readError(reply: MemberReader, id: number): ErrorReply {
  const { bytes } = reply;
  const start = reply.from[ERROR] as number;
  const end = reply.to[ERROR] as number;
  if (bytes[start] !== OPEN_BRACE) {
    const message = bytes[start] === QUOTE ? decodeString(bytes, start, end) : '';
    return { kind: 'error', id, start, end, wellFormed: false, code: 0, message, dataRaw: null };
  }
  const error = new MemberReader(bytes, ERROR_NAMES, reply.even);
  error.read(start, MAX_REPLY_DEPTH);
  const [codeAt = 0, messageAt = 0, dataAt = 0] = error.from;
  const number = codeAt === 0 ? Number.NaN : Number(rawSlice(bytes, codeAt, error.to[CODE] as number));
  const isText = messageAt !== 0 && bytes[messageAt] === QUOTE;
  return {
    kind: 'error', id, start, end,
    wellFormed: Number.isInteger(number) && isText && error.twice === 0,
    code: Number.isInteger(number) ? number : 0,
    message: isText ? decodeString(bytes, messageAt, error.to[MESSAGE] as number) : '',
    dataRaw: dataAt === 0 ? null : rawSlice(bytes, dataAt, error.to[DATA] as number),
  };
}
