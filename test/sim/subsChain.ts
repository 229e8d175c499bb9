import { hashString } from '../../src/base/hash.ts';
import type { Random } from '../../src/base/random.ts';
import { BloomMaker } from '../../src/chain/evm/bloom.ts';
import type { Head } from '../../src/chain/head.ts';
import type { ToldLog } from '../help/subsStream.ts';

const BLOOM_BYTES = 256;
const EMPTY = `0x${'00'.repeat(BLOOM_BYTES)}`;

export const ADDRESSES = Array.from({ length: 6 }, (_, i) => `0x${String(i + 1).padStart(40, '0')}`);
export const TOPICS = Array.from({ length: 5 }, (_, i) => `0x${String(i + 1).padStart(64, '0')}`);

export interface SimBlock {
  readonly number: number;
  readonly hash: string;
  readonly parent: SimBlock | null;
  readonly header: Readonly<Record<string, unknown>>;
  readonly logs: readonly ToldLog[];
}

/** The hash that a made-up header's fields make. */
export function sealOf(header: Readonly<Record<string, unknown>>): string {
  const text = `${String(header['number'])}/${String(header['parentHash'])}/${String(header['logsBloom'])}/${String(header['salt'])}`;
  let hash = '0x';
  for (let seed = 0; seed < 8; seed++) hash += hashString(text, seed).toString(16).padStart(8, '0');
  return hash;
}

export const headOf = ({ number, hash, header }: SimBlock): Head => ({ number, hash, parentHash: String(header['parentHash']), timestampS: number });

/** A tree of blocks with one branch that counts. */
export class SimChain {
  readonly byHash = new Map<string, SimBlock>();
  tip: SimBlock;
  readonly #random: Random;
  readonly #blooms = new BloomMaker(1000);
  #salt = 0;

  constructor(random: Random) {
    this.#random = random;
    this.tip = this.#make(null, 100);
  }

  /** A child of the tip. */
  grow(): void {
    this.tip = this.#make(this.tip, this.tip.number + 1);
  }

  /** Another branch, one block higher, replaces the newest `depth` blocks. */
  reorg(depth: number): void {
    let base = this.tip;
    for (let i = 0; i < depth && base.parent !== null; i++) base = base.parent;
    const to = this.tip.number + 1;
    while (base.number < to) base = this.#make(base, base.number + 1);
    this.tip = base;
  }

  /** The branch that counts, by number. */
  canonical(): Map<number, SimBlock> {
    const blocks = new Map<number, SimBlock>();
    for (let block: SimBlock | null = this.tip; block !== null; block = block.parent) blocks.set(block.number, block);
    return blocks;
  }

  #make(parent: SimBlock | null, number: number): SimBlock {
    const random = this.#random;
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const count = random() < 0.3 ? 0 : 1 + Math.floor(random() * 4);
    const bodies = Array.from({ length: count }, () => ({
      address: pick(ADDRESSES),
      topics: Array.from({ length: Math.floor(random() * 4) }, () => pick(TOPICS)),
    }));
    const header: Record<string, unknown> = {
      number: `0x${number.toString(16)}`,
      parentHash: parent?.hash ?? `0x${'0'.repeat(64)}`,
      logsBloom: this.#bloom(bodies.flatMap(({ address, topics }) => [address, ...topics])),
      salt: this.#salt++,
    };
    const hash = sealOf(header);
    header['hash'] = hash;
    const logs = bodies.map((body, i) => ({ ...body, blockHash: hash, blockNumber: header['number'] as string, logIndex: `0x${i.toString(16)}` }));
    const block: SimBlock = { number, hash, parent, header, logs };
    this.byHash.set(hash, block);
    return block;
  }

  #bloom(items: readonly string[]): string {
    if (items.length === 0) return EMPTY;
    const bytes = Buffer.alloc(BLOOM_BYTES);
    for (const item of items) {
      for (const bit of this.#blooms.bits(item)) {
        const at = BLOOM_BYTES - 1 - (bit >> 3);
        bytes[at] = (bytes[at] ?? 0) | (1 << (bit & 7));
      }
    }
    return `0x${bytes.toString('hex')}`;
  }
}
