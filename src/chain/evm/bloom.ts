import { keccak256 } from './keccak.ts';

/** Bytes of a block's `logsBloom`. */
const BLOOM_BYTES = 256;
const BLOOM = /^0x[0-9a-fA-F]{512}$/;

/** The three bits that an address or topic sets, as bit numbers 0 to 2047 counted from the last byte. */
export type BloomBits = readonly [number, number, number];

/**
 * Bits of one item in a block's bloom. Source: Ethereum yellow paper, section 4.3.1 (M3:2048).
 * @param item 0x-prefixed hex of an address or a topic
 */
export function bloomBits(item: string): BloomBits {
  const hash = keccak256(Buffer.from(item.slice(2), 'hex'));
  const bit = (at: number): number => (((hash[at] ?? 0) << 8) | (hash[at + 1] ?? 0)) & 2047;
  return [bit(0), bit(2), bit(4)];
}

/** A `logsBloom` as bytes, or null for what is none. */
export function readBloom(value: unknown): Uint8Array | null {
  if (typeof value !== 'string' || !BLOOM.test(value)) return null;
  // memory of its own: a piece of Buffer's pool would keep all 8 KiB of it for as long as the header is kept
  const bloom = Buffer.allocUnsafeSlow(BLOOM_BYTES);
  bloom.write(value.slice(2), 'hex');
  return bloom;
}

/** False when no log of the block can hold the item. */
export function bloomHas(bloom: Uint8Array, bits: BloomBits): boolean {
  for (const bit of bits) if (((bloom[BLOOM_BYTES - 1 - (bit >> 3)] ?? 0) & (1 << (bit & 7))) === 0) return false;
  return true;
}

/** True for the bloom of a block without logs. */
export function bloomIsEmpty(bloom: Uint8Array): boolean {
  return bloom.every((byte) => byte === 0);
}

/** Makes the bloom of a block's logs, remembering the bits of items that came before. */
export class BloomMaker {
  readonly #known = new Map<string, BloomBits>();
  readonly #maxItems: number;

  /** @param maxItems bits that are remembered; more are worked out again */
  constructor(maxItems: number) {
    this.#maxItems = maxItems;
  }

  bits(item: string): BloomBits {
    const known = this.#known.get(item);
    if (known !== undefined) return known;
    const bits = bloomBits(item);
    if (this.#known.size >= this.#maxItems) this.#known.clear();
    this.#known.set(item, bits);
    return bits;
  }

  /**
   * Compares a block's bloom with what these items make: `equal`; `over` when they make all of it and more; `under` when
   * some of it is missing.
   */
  compare(bloom: Uint8Array, items: Iterable<string>): 'equal' | 'over' | 'under' {
    const made = new Uint8Array(BLOOM_BYTES);
    for (const item of items) {
      for (const bit of this.bits(item)) {
        const at = BLOOM_BYTES - 1 - (bit >> 3);
        made[at] = (made[at] ?? 0) | (1 << (bit & 7));
      }
    }
    if (made.every((byte, at) => byte === bloom[at])) return 'equal';
    return made.every((byte, at) => (byte & (bloom[at] ?? 0)) === bloom[at]) ? 'over' : 'under';
  }
}
