/**
 * Three forms of text. Bytes: what came over the wire. Raw: a string with one char per byte, so that slices of a message
 * keep their bytes. Decoded: what a reader means by a string.
 */

/** The bytes of `[from, to)` as a raw string, independent of the buffer. */
export function rawSlice(bytes: Buffer, from: number, to: number): string {
  return bytes.toString('latin1', from, to);
}

/** True when the JSON string `[from, to)`, quotes included, means its own bytes: ASCII without escapes. */
export function isPlainString(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from + 1; i < to - 1; i++) {
    const c = bytes[i] as number;
    if (c === 0x5c || c >= 0x80) return false;
  }
  return true;
}

/** The meaning of a JSON string that was found valid; `[from, to)` with its quotes. Invalid UTF-8 becomes U+FFFD. */
export function decodeString(bytes: Buffer, from: number, to: number): string {
  if (isPlainString(bytes, from, to)) return rawSlice(bytes, from + 1, to - 1);
  return JSON.parse(bytes.toString('utf8', from, to)) as string;
}

/** A decoded string as JSON in plain ASCII, quotes included: raw and decoded at once. */
export function quoteAscii(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
