import { isEven } from './even.ts';
import { MAX_REPLY_DEPTH } from './reply.ts';
import { escapeLeft, skipString, skipStringRest } from './string.ts';
import { decodeString } from './text.ts';
import { CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, LOWER_N, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipScalar } from './token.ts';

/** What may come next. */
const VALUE = 0;
const FIRST_ITEM = 1;
const KEY = 2;
const FIRST_KEY = 3;
const COLON_NEXT = 4;
const NEXT = 5;
const NOTHING = 6;

/** What the last piece ended within. */
const WHOLE = 0;
const STRING = 1;
const SCALAR = 2;

const NAMES: readonly string[] = ['id', 'result', 'error'];
const ID = 0;
const RESULT = 1;
const ERROR = 2;

const SPACE = 0x20;
/** Longer numbers are refused; longer keys and ids are none that are looked for. */
const MAX_SCALAR_CHARS = 4096;
const MAX_HELD_CHARS = 128;

/**
 * Reads a node's answer to one call piece by piece, wherever it is cut: checks all of it against the JSON grammar (not its UTF-8), as
 * `splitReply` does, and tells where its result begins and ends. Keeps none of it but the id.
 */
export class ReplyScan {
  /** Offsets in the whole answer; -1 = not met yet. */
  resultStart = -1;
  resultEnd = -1;
  /** The id's own bytes, one char per byte; null while it has not come. */
  idRaw: string | null = null;
  /** It has an error that is not null. */
  isError = false;
  /** It is no answer: no JSON, no object, or a member comes twice. */
  failed = false;
  /** Bytes read. */
  sizeBytes = 0;
  private want = VALUE;
  private depth = 0;
  /** The opening bracket of each level. */
  private readonly kinds = new Uint8Array(MAX_REPLY_DEPTH);
  private part = WHOLE;
  private escape = 0;
  private scalar = '';
  private member = -1;
  private seen = 0;
  private holds = false;
  private held = '';

  /** Whether the last piece ended within the result. */
  get inResult(): boolean {
    return this.resultStart >= 0 && this.resultEnd < 0 && !this.failed;
  }

  /** The whole answer has been read. */
  get complete(): boolean {
    return this.want === NOTHING && !this.failed;
  }

  push(piece: Buffer): void {
    if (this.failed) return;
    // what `isEven` says ends before white space, which may be within a string here
    const even = (piece[piece.length - 1] ?? 0) >= SPACE && isEven(piece);
    const from = this.part === STRING ? this.resumeString(piece, even) : this.part === SCALAR ? this.resumeScalar(piece) : 0;
    if (from >= 0) this.read(piece, from, even);
    this.sizeBytes += piece.length;
  }

  private read(piece: Buffer, from: number, even: boolean): number {
    const { kinds } = this;
    let { want, depth } = this;
    for (let i = from; i < piece.length;) {
      const c = piece[i] as number;
      const isKey = want === KEY || want === FIRST_KEY;
      const isValue = want === VALUE || want === FIRST_ITEM;
      let end = i + 1;
      if (c === QUOTE) {
        if (!isKey && !isValue) return this.fail();
        if (depth < 2) this.begin(i, depth, isKey ? 0 : c);
        want = isKey ? COLON_NEXT : NEXT;
        end = this.ended(piece, i, skipString(piece, i, even), depth);
      } else if (c === COMMA) {
        if (want !== NEXT) return this.fail();
        want = kinds[depth - 1] === OPEN_BRACE ? KEY : VALUE;
      } else if (c === COLON) {
        if (want !== COLON_NEXT) return this.fail();
        want = VALUE;
      } else if (c === OPEN_BRACE || c === OPEN_BRACKET) {
        if (!isValue || depth === MAX_REPLY_DEPTH) return this.fail();
        if (depth < 2) this.begin(i, depth, c);
        kinds[depth++] = c;
        want = c === OPEN_BRACE ? FIRST_KEY : FIRST_ITEM;
      } else if (c === CLOSE_BRACE || c === CLOSE_BRACKET) {
        const mayClose = want === NEXT || want === (c === CLOSE_BRACE ? FIRST_KEY : FIRST_ITEM);
        if (!mayClose || kinds[depth - 1] !== c - 2) return this.fail();
        want = --depth === 0 ? NOTHING : NEXT;
        if (depth === 1) this.closeValue(end);
      } else if (c > SPACE) {
        if (!isValue) return this.fail();
        if (depth < 2) this.begin(i, depth, c);
        want = NEXT;
        end = this.scalarEnd(piece, i, depth);
      } else if (c !== SPACE && c !== 0x0a && c !== 0x0d && c !== 0x09) return this.fail();
      if (this.failed) return -1;
      i = end;
    }
    this.want = want;
    this.depth = depth;
    return piece.length;
  }

  /** The object itself begins, or a key or value in it. @param first the first byte of a value, 0 = it is a key */
  private begin(at: number, depth: number, first: number): void {
    if (depth === 0) {
      if (first !== OPEN_BRACE) this.fail();
      return;
    }
    const { member } = this;
    this.holds = first === 0 || (member === ID && first !== OPEN_BRACE && first !== OPEN_BRACKET);
    this.held = '';
    if (first === 0) return;
    if (member === RESULT) this.resultStart = this.sizeBytes + at;
    else if (member === ERROR) this.isError = first !== LOWER_N;
  }

  /** A string ended, or was cut. @returns where to go on */
  private ended(piece: Buffer, from: number, end: number, depth: number): number {
    if (end < 0) {
      if (end !== ~piece.length) return this.fail();
      this.part = STRING;
      this.escape = escapeLeft(piece, from);
      if (depth === 1) this.hold(piece, from, piece.length);
      return piece.length;
    }
    this.part = WHOLE;
    if (depth === 1) this.close(piece, from, end);
    return end;
  }

  private resumeString(piece: Buffer, even: boolean): number {
    let from = 0;
    for (; this.escape > 0 && from < piece.length; from++) {
      this.escape = nextInEscape(this.escape, piece[from] as number);
      if (this.escape < 0) return this.fail();
    }
    if (this.depth === 1) this.hold(piece, 0, from);
    return from === piece.length ? from : this.ended(piece, from, skipStringRest(piece, from, even), this.depth);
  }

  private scalarEnd(piece: Buffer, from: number, depth: number): number {
    const end = skipScalar(piece, from);
    if (end >= 0 && end < piece.length) {
      if (depth === 1) this.close(piece, from, end);
      return end;
    }
    if (end !== piece.length && end !== ~piece.length) return this.fail();
    this.part = SCALAR;
    this.scalar = piece.toString('latin1', from, from + MAX_SCALAR_CHARS);
    return piece.length - from > MAX_SCALAR_CHARS ? this.fail() : piece.length;
  }

  private resumeScalar(piece: Buffer): number {
    let end = 0;
    while (end < piece.length && isScalarByte(piece[end] as number)) end++;
    this.scalar += piece.toString('latin1', 0, Math.min(end, MAX_SCALAR_CHARS));
    if (this.scalar.length > MAX_SCALAR_CHARS) return this.fail();
    if (end === piece.length) return end;
    const whole = Buffer.from(this.scalar, 'latin1');
    if (skipScalar(whole, 0) !== whole.length) return this.fail();
    this.part = WHOLE;
    if (this.depth !== 1) return end;
    this.hold(whole, 0, whole.length);
    this.close(piece, end, end);
    return end;
  }

  private hold(piece: Buffer, from: number, to: number): void {
    if (this.holds && this.held.length <= MAX_HELD_CHARS) this.held += piece.toString('latin1', from, Math.min(to, from + MAX_HELD_CHARS + 1));
  }

  /** A key or a plain value of the object itself ended. */
  private close(piece: Buffer, from: number, end: number): void {
    this.hold(piece, from, end);
    if (!this.holds || this.member === ID) return this.closeValue(end);
    this.member = this.held.length > MAX_HELD_CHARS ? -1 : nameOf(this.held);
    if (this.member < 0) return;
    const bit = 1 << this.member;
    if ((this.seen & bit) !== 0) this.fail();
    this.seen |= bit;
  }

  private closeValue(end: number): void {
    if (this.member === RESULT) this.resultEnd = this.sizeBytes + end;
    else if (this.member === ID) this.idRaw = this.held;
    this.member = -1;
  }

  private fail(): number {
    this.failed = true;
    return -1;
  }
}

/** Which member a key names, quotes and escapes included. */
function nameOf(raw: string): number {
  const bytes = Buffer.from(raw, 'latin1');
  return NAMES.indexOf(decodeString(bytes, 0, bytes.length));
}

const isScalarByte = (c: number): boolean => (c >= 0x30 && c <= 0x39) || ((c | 0x20) >= 0x61 && (c | 0x20) <= 0x7a) || c === 0x2d || c === 0x2b || c === 0x2e;

/** What is left of an escape behind its next byte (5 = its letter, 1 to 4 = hex digits); -1 = the byte cannot stand there. */
function nextInEscape(left: number, c: number): number {
  if (left === 5) return c === 0x75 ? 4 : '"\\/bfnrt'.includes(String.fromCharCode(c)) ? 0 : -1;
  return /[0-9a-fA-F]/.test(String.fromCharCode(c)) ? left - 1 : -1;
}
