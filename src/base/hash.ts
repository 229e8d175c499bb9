/**
 * 32-bit hash of a string's code units, for routing and sharding; not against an adversary who picks keys.
 * Source: FNV-1a over 16-bit units, finished with the mixer of MurmurHash3 so that low bits are usable.
 */
export function hashString(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  }
  return mix32(h);
}

/** Unsigned 32-bit finaliser (MurmurHash3 fmix32): every input bit reaches every output bit. */
export function mix32(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
