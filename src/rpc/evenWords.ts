import { BACKSLASH } from './token.ts';

/** The uppermost bit of each byte of a word. */
const UPPERMOST = 0x80808080 | 0;

/**
 * Whether the first `length` bytes have neither a backslash nor a control character. Four bytes are looked at in one word, four words in one
 * round: a byte that is no control character has one of its upper three bits, which two shifts bring to its uppermost (what they bring
 * in from the byte below stays under it).
 */
export function isEvenByWords(bytes: Buffer, length: number): boolean {
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
  return isEvenRange(bytes, 0, Math.min(lead, length)) && isEvenRange(bytes, lead + words.length * 4, length);
}

function isEvenRange(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) if ((bytes[i] as number) < 0x20) return false;
  return true;
}
