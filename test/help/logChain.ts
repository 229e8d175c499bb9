import { createHash } from 'node:crypto';
import { BloomMaker } from '../../src/chain/evm/bloom.ts';

export interface ChainLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
  readonly removed: boolean;
}

export interface LogBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  readonly logsBloom: string;
  readonly logs: readonly ChainLog[];
}

/** A filter object of `eth_getLogs`. */
export interface LogAsk {
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly blockHash?: string;
  readonly address?: string | readonly string[];
  readonly topics?: readonly (string | null | readonly string[])[];
}

export const hex = (value: number): string => `0x${value.toString(16)}`;
const word = (value: number, letter = '0'): string => `0x${letter.repeat(4)}${value.toString(16).padStart(60, '0')}`;

/** A small generator of numbers below 2^32 (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

export const ADDRESSES = Array.from({ length: 6 }, (_, i) => `0x${(i + 1).toString(16).padStart(2, 'a').repeat(20)}`);
export const TOPICS = Array.from({ length: 5 }, (_, i) => word(0x1000 + i, 'f'));

const blooms = new BloomMaker(1000);

function bloomOf(logs: readonly Pick<ChainLog, 'address' | 'topics'>[]): string {
  const bytes = Buffer.alloc(256);
  for (const item of logs.flatMap(({ address, topics }) => [address, ...topics])) {
    for (const bit of blooms.bits(item)) bytes[255 - (bit >> 3)] = (bytes[255 - (bit >> 3)] ?? 0) | (1 << (bit & 7));
  }
  return `0x${bytes.toString('hex')}`;
}

/** Content of one block: the same for the same height, branch and parent. Its hash begins with the letter of its branch. */
function makeBlock(number: number, branch: string, parentHash: string, dataBytes: number): LogBlock {
  const digest = createHash('sha256').update(`${parentHash}/${branch}/${number}`).digest('hex');
  const hash = `0x${branch.charCodeAt(0).toString(16)}${digest.slice(2)}`;
  const next = numbers(Number.parseInt(digest.slice(0, 8), 16));
  const count = next(4) === 0 ? 0 : next(4);
  const logs = Array.from({ length: count }, (_, index): ChainLog => ({
    address: ADDRESSES[next(ADDRESSES.length)] as string,
    topics: Array.from({ length: next(5) }, () => TOPICS[next(TOPICS.length)] as string),
    data: `0x${'5a'.repeat(dataBytes)}`,
    blockNumber: hex(number),
    blockHash: hash,
    transactionHash: word(number, branch.charCodeAt(0).toString(16).padStart(2, '0').slice(0, 1)),
    transactionIndex: '0x0',
    logIndex: hex(index),
    removed: false,
  }));
  return { number, hash, parentHash, logsBloom: bloomOf(logs), logs };
}

/** A chain whose blocks have logs, with branches that a test makes. */
export class LogChain {
  blocks: LogBlock[] = [];
  readonly all = new Map<string, LogBlock>();
  readonly #dataBytes: number;

  constructor(head: number, dataBytes = 4) {
    this.#dataBytes = dataBytes;
    this.grow(head + 1);
  }

  get head(): LogBlock {
    return this.blocks.at(-1) as LogBlock;
  }

  /** Adds blocks of a branch. */
  grow(count: number, branch = 'a'): void {
    for (let i = 0; i < count; i++) {
      const { number, hash } = this.blocks.at(-1) ?? { number: -1, hash: word(0) };
      const block = makeBlock(number + 1, branch, hash, this.#dataBytes);
      this.blocks.push(block);
      this.all.set(block.hash, block);
    }
  }

  /** Replaces the newest blocks by more of another branch. */
  reorg(depth: number, branch: string): void {
    this.blocks = this.blocks.slice(0, -depth);
    this.grow(depth + 1, branch);
  }

  /** What a node without limits answers on these blocks. */
  query(ask: LogAsk, blocks: readonly LogBlock[] = this.blocks, finalized = 0): readonly ChainLog[] {
    const head = blocks.length - 1;
    const at = (tag: string | undefined): number => (tag === undefined || tag === 'latest' ? head : tag === 'earliest' ? 0 : tag === 'finalized' ? finalized : Number(tag));
    const chosen = ask.blockHash === undefined ? blocks.slice(at(ask.fromBlock), at(ask.toBlock) + 1) : [this.all.get(ask.blockHash) as LogBlock];
    return chosen.flatMap(({ logs }) => logs.filter((log) => isWanted(ask, log)));
  }
}

function isWanted({ address, topics = [] }: LogAsk, log: ChainLog): boolean {
  const addresses = address === undefined ? [] : typeof address === 'string' ? [address] : address;
  if (addresses.length > 0 && !addresses.includes(log.address)) return false;
  return topics.length <= log.topics.length && topics.every((any, place) => any === null || (Array.isArray(any) ? any.length === 0 || any.includes(log.topics[place]) : any === log.topics[place]));
}

/** A random query that ends at or below `head`. */
export function randomAsk(next: (below: number) => number, chain: LogChain): LogAsk {
  const { number: head } = chain.head;
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const some = (list: readonly string[]): readonly string[] => Array.from({ length: 1 + next(3) }, () => pick(list));
  const address = [undefined, pick(ADDRESSES), some(ADDRESSES), []][next(4)];
  const topics = [undefined, Array.from({ length: next(4) }, () => pick([null, pick(TOPICS), some(TOPICS)]))][next(2)];
  const filter = { ...(address === undefined ? {} : { address }), ...(topics === undefined ? {} : { topics }) };
  const form = next(10);
  if (form === 0) return { ...filter, blockHash: pick(chain.blocks).hash };
  if (form === 1) return filter;
  const from = next(head + 1);
  const to = form < 4 ? Math.min(head, from + next(12)) : from + next(head - from + 1);
  const toBlock = form === 2 ? 'latest' : hex(to);
  return { ...filter, fromBlock: form === 3 && to < 300 ? 'earliest' : hex(from), ...(form === 5 ? {} : { toBlock }) };
}
