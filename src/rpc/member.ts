import { skipColon, skipValue } from './json.ts';
import { isEven } from './even.ts';
import { skipString } from './string.ts';
import { decodeString } from './text.ts';
import { BACKSLASH, CLOSE_BRACE, COMMA, byteAt, skipSpace } from './token.ts';

/** No name that is looked for is longer; written in escapes each char takes six bytes. */
const MAX_ODD_KEY_BYTES = 12 * 6;

const UNKNOWN = -1;

/**
 * Finds the wanted members of JSON objects of one text, and checks all of the rest. One instance serves many objects in turn.
 * A name counts whether written plainly or in escapes; one that differs only by case is reported, not taken.
 */
export class MemberReader {
  bytes: Buffer;
  /** What `isEven` says of the text. */
  even: boolean;
  /** Where the object read last begins and ends. */
  start = 0;
  end = 0;
  /** Where the value of the n-th name begins and ends; 0 = absent. */
  readonly from: number[] = [0, 0, 0, 0, 0];
  readonly to: number[] = [0, 0, 0, 0, 0];
  /** Bit n: the n-th name occurs twice. */
  twice = 0;
  /** Bit n: the n-th name occurs in another case, as a decoder that ignores case would take it. */
  recased = 0;
  private readonly names: readonly string[];

  /** @param names at most five, in lower case ASCII, of at most 12 chars */
  constructor(bytes: Buffer, names: readonly string[], even = isEven(bytes)) {
    this.bytes = bytes;
    this.names = names;
    this.even = even;
  }

  /** Turns to another text. */
  open(bytes: Buffer): this {
    this.bytes = bytes;
    this.even = isEven(bytes);
    return this;
  }

  /**
   * Reads one object.
   * @param start offset of its `{`
   * @param maxDepth levels that may be open inside it
   * @returns the offset behind its `}`, or a negative failure for `failureOf`
   */
  read(start: number, maxDepth: number): number {
    const { bytes, even } = this;
    this.begin(start);
    let i = skipSpace(bytes, start + 1);
    if (byteAt(bytes, i) === CLOSE_BRACE) return this.finish(i + 1);
    for (;;) {
      const keyEnd = skipString(bytes, i, even);
      if (keyEnd < 0) return keyEnd;
      const value = skipColon(bytes, keyEnd);
      if (value < 0) return value;
      const end = skipValue(bytes, value, maxDepth, even);
      if (end < 0) return end;
      this.note(i, keyEnd, value, end);
      i = skipSpace(bytes, end);
      const c = byteAt(bytes, i);
      if (c === CLOSE_BRACE) return this.finish(i + 1);
      if (c !== COMMA) return ~i;
      i = skipSpace(bytes, i + 1);
    }
  }

  /** True where the n-th name has a value; `null` counts. */
  has(n: number): boolean {
    return this.from[n] !== 0;
  }

  private begin(start: number): void {
    this.start = start;
    this.end = start;
    this.twice = 0;
    this.recased = 0;
    for (let n = 0; n < this.names.length; n++) this.from[n] = 0;
  }

  private finish(end: number): number {
    this.end = end;
    return end;
  }

  private note(key: number, keyEnd: number, value: number, end: number): void {
    let n = this.plainName(key + 1, keyEnd - 1);
    if (n === UNKNOWN && isOdd(this.bytes, key + 1, keyEnd - 1)) n = this.oddName(key, keyEnd);
    if (n === UNKNOWN) return;
    if (this.from[n] !== 0) {
      this.twice |= 1 << n;
    } else {
      this.from[n] = value;
      this.to[n] = end;
    }
  }

  private plainName(from: number, to: number): number {
    const { names } = this;
    for (let n = 0; n < names.length; n++) {
      const name = names[n] as string;
      if (name.length === to - from && matches(this.bytes, from, name)) return n;
    }
    return UNKNOWN;
  }

  private oddName(key: number, keyEnd: number): number {
    const name = decodeString(this.bytes, key, keyEnd);
    const exact = this.names.indexOf(name);
    if (exact >= 0) return exact;
    // up and down again, so that the long s and the dotless i, which fold to ASCII letters, do too
    const folded = this.names.indexOf(name.toUpperCase().toLowerCase());
    if (folded >= 0) this.recased |= 1 << folded;
    return UNKNOWN;
  }
}

function matches(bytes: Buffer, from: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    if (bytes[from + i] !== name.charCodeAt(i)) return false;
  }
  return true;
}

/** True for a short key with capitals, escapes or letters beyond ASCII: only these can mean a name they do not spell. */
function isOdd(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > MAX_ODD_KEY_BYTES) return false;
  for (let i = from; i < to; i++) {
    const c = bytes[i] as number;
    if (c === BACKSLASH || c >= 0x80 || (c >= 0x41 && c <= 0x5a)) return true;
  }
  return false;
}
