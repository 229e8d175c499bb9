import { BACKSLASH, LOWER_N, QUOTE, ZERO, byteAt } from './token.ts';

/** From this many bytes on, `indexOf` finds a string's end sooner than a loop. */
const LONG_STRING_BYTES = 20;

/** From this size on, looking through the whole text first pays for itself. */
const LARGE_TEXT_BYTES = 2048;

/** The uppermost bit of each byte of a word. */
const UPPERMOST = 0x80808080 | 0;

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

/**
 * Tells whether a large text has neither a backslash nor a control character before the white space at its end; most
 * machine-made ones have not, and their strings can be skipped at the speed of `indexOf`. Small texts count as uneven.
 * Four bytes are looked at in one word, four words in one round: a byte that is no control character has one of its upper three
 * bits, which two shifts bring to its uppermost (what they bring in from the byte below stays under it).
 */
export function isEven(bytes: Buffer): boolean {
  let { length } = bytes;
  if (length < LARGE_TEXT_BYTES) return false;
  while (length > 0 && (bytes[length - 1] as number) <= 0x20) length--;
  if (bytes.includes(BACKSLASH)) return false;
  const lead = -bytes.byteOffset & 3;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + lead, Math.max(0, ((length - lead) >> 4) << 2));
  let all = -1;
  for (let i = 0; i < words.length; i += 4) {
    const a = words[i] as number;
    const b = words[i + 1] as number;
    const c = words[i + 2] as number;
    const d = words[i + 3] as number;
    all &= (a | (a << 1) | (a << 2)) & (b | (b << 1) | (b << 2)) & (c | (c << 1) | (c << 2)) & (d | (d << 1) | (d << 2));
  }
  if ((all & UPPERMOST) !== UPPERMOST) return false;
  return isEvenRange(bytes, 0, lead) && isEvenRange(bytes, lead + words.length * 4, length);
}

function isEvenRange(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) < 0x20) return false;
  return true;
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
