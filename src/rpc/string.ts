import { BACKSLASH, LOWER_N, QUOTE, ZERO, byteAt } from './token.ts';

/** From this many bytes on, `indexOf` finds a string's end sooner than a loop. */
const LONG_STRING_BYTES = 20;

/** 1 for the bytes that a string may hold as they are. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, c) => (c >= 0x20 && c !== QUOTE && c !== BACKSLASH ? 1 : 0));

/**
 * Skips a string. Bytes from 0x80 on are let through: UTF-8 is judged for the whole text elsewhere.
 * @param even true when `isEven` holds for the text: then a quote ends a string, whatever stands before it
 */
export function skipString(bytes: Buffer, from: number, even: boolean): number {
  return byteAt(bytes, from) === QUOTE ? skipStringRest(bytes, from + 1, even) : ~from;
}

/** As `skipString`, from a place within the string that is not within an escape. */
export function skipStringRest(bytes: Buffer, from: number, even: boolean): number {
  const { length } = bytes;
  const near = even ? Math.min(length, from + LONG_STRING_BYTES - 1) : length;
  let i = from;
  for (;;) {
    while (i < near && PLAIN[bytes[i] as number] === 1) i++;
    if (i >= near) {
      const end = even ? bytes.indexOf(QUOTE, i) : -1;
      return end < 0 ? ~length : end + 1;
    }
    const c = bytes[i] as number;
    if (c === QUOTE) return i + 1;
    if (c !== BACKSLASH) return ~i;
    i = skipEscape(bytes, i);
    if (i < 0) return i;
  }
}

function skipEscape(bytes: Buffer, from: number): number {
  switch (byteAt(bytes, from + 1)) {
    case QUOTE: case BACKSLASH: case 0x2f: case 0x62: case 0x66: case LOWER_N: case 0x72: case 0x74:
      return from + 2;
    case 0x75:
      for (let i = from + 2; i < from + 6; i++) {
        if (!isHexDigit(byteAt(bytes, i))) return ~i;
      }
      return from + 6;
    default:
      return ~(from + 1);
  }
}

function isHexDigit(c: number): boolean {
  const lower = c | 0x20;
  return (c >= ZERO && c <= 0x39) || (lower >= 0x61 && lower <= 0x66);
}

/**
 * What is left of an escape that bytes of a string end within.
 * @param from a place outside of any escape
 * @returns 0 = they end within none, 5 = its letter and what follows that, 1 to 4 = hex digits
 */
export function escapeLeft(bytes: Buffer, from: number): number {
  const { length } = bytes;
  const at = bytes.lastIndexOf(BACKSLASH);
  if (at < from || at + 6 <= length) return 0;
  // of several in a row each second one is what the one before it escapes
  let before = at;
  while (before > from && bytes[before - 1] === BACKSLASH) before--;
  if (((at - before) & 1) === 1) return 0;
  if (at + 1 === length) return 5;
  return bytes[at + 1] === 0x75 ? at + 6 - length : 0;
}
