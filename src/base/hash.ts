/**
 * 32-bit hash of a string's code units, for routing and sharding; not against an adversary who picks keys.
 * Source: FNV-1a over 16-bit units, of long texts over each fourth unit and then put together, finished with the mixer of MurmurHash3 so
 * that low bits are usable.
 */
export function hashString(text: string, seed = 0): number {
  let h = (OFFSET ^ seed) | 0;
  let at = 0;
  if (text.length >= LONG_CHARS) {
    // four lines side by side: one multiplication need not wait for the other
    let a = h;
    let b = h ^ 1;
    let c = h ^ 2;
    let d = h ^ 3;
    for (; at + 3 < text.length; at += 4) {
      a = Math.imul(a ^ text.charCodeAt(at), PRIME);
      b = Math.imul(b ^ text.charCodeAt(at + 1), PRIME);
      c = Math.imul(c ^ text.charCodeAt(at + 2), PRIME);
      d = Math.imul(d ^ text.charCodeAt(at + 3), PRIME);
    }
    h = mix32(mix32(mix32(a) ^ b) ^ c) ^ d;
  }
  for (; at < text.length; at++) h = Math.imul(h ^ text.charCodeAt(at), PRIME);
  return mix32(h);
}

/**
 * 32-bit hash of whole words; not against an adversary who picks keys.
 * Source: two lines of multiplications side by side, so that one need not wait for the other, with the constants of MurmurHash2 and 3, put
 * together by the mixer of MurmurHash3.
 * @param count how many of the words, from the first
 */
export function hashWords(words: Int32Array, count: number, seed = 0): number {
  let even = seed | 0;
  let odd = count ^ OFFSET;
  let at = 0;
  for (; at + 1 < count; at += 2) {
    even = Math.imul(even ^ (words[at] as number), 0x5bd1e995);
    even ^= even >>> 15;
    odd = Math.imul(odd ^ (words[at + 1] as number), 0x1b873593);
    odd ^= odd >>> 13;
  }
  if (at < count) even = Math.imul(even ^ (words[at] as number), 0x5bd1e995);
  return mix32(mix32(even) ^ odd);
}

/** Room for the longest text that `hashBytes` takes, whole words. */
const room = Buffer.allocUnsafeSlow(4096);
const words = new Int32Array(room.buffer);

/** Chars that `hashBytes` takes at most. */
export const MAX_HASHED_BYTES = room.length;

/**
 * 32-bit hash of a text with one char per byte, for routing; not against an adversary who picks keys. For texts of some length several times
 * as fast as `hashString`: a text that was cut out of another is read char by char slower than it is copied.
 * @param raw at most `MAX_HASHED_BYTES` long; of chars beyond 0xff only the low byte counts
 */
export function hashBytes(raw: string, seed = 0): number {
  const length = room.write(raw, 'latin1');
  let end = length;
  for (; (end & 3) !== 0; end++) room[end] = 0;
  // the length counts: texts that end in zero bytes fill the same words
  return hashWords(words, end >> 2, mix32(seed ^ length));
}

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;
/** Texts from this length on are hashed in four lines. */
const LONG_CHARS = 32;

/** Unsigned 32-bit finaliser (MurmurHash3 fmix32): every input bit reaches every output bit. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
