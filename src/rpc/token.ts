/**
 * Strict JSON tokens over bytes. Every `skip…` takes the offset where its token begins and returns the offset behind it,
 * or a negative number: `~offset` of the byte that cannot stand there (offset = length when the text ended too early).
 */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const MINUS = 0x2d;
export const ZERO = 0x30;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
/** `n` of `null`. */
export const LOWER_N = 0x6e;

/** The byte at `i`, or 0 past the end: NUL can stand nowhere in a JSON text, so both fail alike. */
export function byteAt(bytes: Buffer, i: number): number {
  return i < bytes.length ? (bytes[i] as number) : 0;
}

/** Offset of the first byte from `from` on that is not JSON white space. */
export function skipSpace(bytes: Buffer, from: number): number {
  let i = from;
  for (;;) {
    const c = byteAt(bytes, i);
    if (c > 0x20 || (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09)) return i;
    i++;
  }
}

/** Skips a number, `true`, `false` or `null`. */
export function skipScalar(bytes: Buffer, from: number): number {
  switch (byteAt(bytes, from)) {
    case LOWER_N: return skipWord(bytes, from, 'null');
    case 0x74: return skipWord(bytes, from, 'true');
    case 0x66: return skipWord(bytes, from, 'false');
    default: return skipNumber(bytes, from);
  }
}

function skipWord(bytes: Buffer, from: number, word: string): number {
  for (let i = 1; i < word.length; i++) {
    if (byteAt(bytes, from + i) !== word.charCodeAt(i)) return ~(from + i);
  }
  return from + word.length;
}

function skipNumber(bytes: Buffer, from: number): number {
  let i = byteAt(bytes, from) === MINUS ? from + 1 : from;
  i = byteAt(bytes, i) === ZERO ? i + 1 : skipDigits(bytes, i);
  if (i > 0 && byteAt(bytes, i) === 0x2e) i = skipDigits(bytes, i + 1);
  if (i > 0 && (byteAt(bytes, i) | 0x20) === 0x65) {
    const sign = byteAt(bytes, i + 1);
    i = skipDigits(bytes, sign === 0x2b || sign === MINUS ? i + 2 : i + 1);
  }
  return i;
}

/** Skips one digit or more. */
function skipDigits(bytes: Buffer, from: number): number {
  let i = from;
  while (byteAt(bytes, i) >= ZERO && byteAt(bytes, i) <= 0x39) i++;
  return i === from ? ~from : i;
}
