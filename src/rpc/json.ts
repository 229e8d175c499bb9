import { Fault } from '../base/fault.ts';
import { skipString } from './string.ts';
import {
  CLOSE_BRACE, CLOSE_BRACKET, COLON, COMMA, OPEN_BRACE, OPEN_BRACKET, QUOTE, byteAt, skipScalar, skipSpace,
} from './token.ts';

/** Added to the offset of a failure that is one of depth; a text must be shorter than this (1 GiB). */
const TOO_DEEP = 2 ** 30;

/**
 * Skips one JSON value without building it: the whole grammar of RFC 8259 is checked, in one pass and without recursion.
 * @param from offset of the value's first byte, white space already skipped
 * @param maxDepth arrays and objects that may be open at once
 * @param even what `isEven` says of the whole text
 * @returns the offset behind the value, or a negative failure for `failureOf`
 */
export function skipValue(bytes: Buffer, from: number, maxDepth: number, even: boolean): number {
  let i = from;
  let depth = 0;
  /** One bit per open container, innermost lowest, 1 = object; full words wait in `outer`. */
  let kinds = 0;
  let outer: number[] | null = null;
  for (;;) {
    const first = byteAt(bytes, i);
    if (first === QUOTE) {
      i = skipString(bytes, i, even);
    } else if (first !== OPEN_BRACE && first !== OPEN_BRACKET) {
      i = skipScalar(bytes, i);
    } else {
      if (depth >= maxDepth) return ~(i + TOO_DEEP);
      i = skipSpace(bytes, i + 1);
      // ']' and '}' are both two above their opening bracket
      if (byteAt(bytes, i) === first + 2) {
        i++;
      } else {
        if (depth > 0 && (depth & 31) === 0) {
          if (outer === null) outer = [kinds];
          else outer.push(kinds);
        }
        depth++;
        kinds = (kinds << 1) | (first === OPEN_BRACE ? 1 : 0);
        if (first === OPEN_BRACE) i = skipKey(bytes, i, even);
        if (i < 0) return i;
        continue;
      }
    }
    if (i < 0) return i;
    for (;;) {
      if (depth === 0) return i;
      i = skipSpace(bytes, i);
      const c = byteAt(bytes, i);
      if (c === COMMA) {
        i = skipSpace(bytes, i + 1);
        if ((kinds & 1) === 1) i = skipKey(bytes, i, even);
        if (i < 0) return i;
        break;
      }
      if (c !== ((kinds & 1) === 1 ? CLOSE_BRACE : CLOSE_BRACKET)) return ~i;
      i++;
      depth--;
      kinds = depth > 0 && (depth & 31) === 0 ? (outer?.pop() ?? 0) : kinds >>> 1;
    }
  }
}

/** Skips an object's key, its colon and the white space around: returns where the member's value begins. */
export function skipKey(bytes: Buffer, from: number, even: boolean): number {
  const end = skipString(bytes, from, even);
  return end < 0 ? end : skipColon(bytes, end);
}

/** Skips white space, a colon and white space. */
export function skipColon(bytes: Buffer, from: number): number {
  const colon = skipSpace(bytes, from);
  return byteAt(bytes, colon) === COLON ? skipSpace(bytes, colon + 1) : ~colon;
}

/** Skips the white space behind a text that ended at `end`, which must be all that is left; passes a failure on. */
export function skipEnd(bytes: Buffer, end: number): number {
  if (end < 0) return end;
  const rest = skipSpace(bytes, end);
  return rest < bytes.length ? ~rest : rest;
}

/** The fault of a negative return of a `skip…`, with its place. */
export function failureOf(bytes: Buffer, failure: number): Fault {
  const offset = ~failure;
  if (offset >= TOO_DEEP) return new Fault('depth', `at byte ${offset - TOO_DEEP}`);
  if (offset >= bytes.length) return new Fault('parse', 'unexpected end');
  const hex = (bytes[offset] as number).toString(16).padStart(2, '0');
  return new Fault('parse', `unexpected 0x${hex} at byte ${offset}`);
}
