import type { Random } from '../../src/base/random.ts';
import type { BlockMark, Head } from '../../src/chain/head.ts';

/** A chain at one moment: hashes by height. */
type Branch = readonly string[];

interface Version {
  readonly atMs: number;
  readonly blocks: Branch;
}

const START = 150;

/** The history of a chain: blocks at a pace, and reorgs that replace some of the newest at once. */
export class ViewChain {
  readonly blockMs: number;
  readonly reorgs: number;
  /** Every block that ever was on the chain. */
  readonly known = new Set<string>();
  readonly #versions: Version[];
  #serial = 0;

  constructor(random: Random, durationMs: number) {
    this.blockMs = [400, 1000, 2000][Math.floor(random() * 3)] ?? 1000;
    const reorgShare = random() < 0.2 ? 0 : 0.15 * random();
    let blocks: Branch = Array.from({ length: START }, (_, number) => this.make(number));
    this.#versions = [{ atMs: Number.NEGATIVE_INFINITY, blocks }];
    let reorgs = 0;
    for (let atMs = this.blockMs; atMs < durationMs; atMs += this.blockMs) {
      const depth = random() < reorgShare ? 1 + Math.floor(random() * 12) : 0;
      if (depth > 0) reorgs++;
      const kept = blocks.slice(0, blocks.length - depth);
      const made = Array.from({ length: depth + 1 }, (_, i) => this.make(kept.length + i));
      blocks = [...kept, ...made];
      this.#versions.push({ atMs, blocks });
    }
    for (const version of this.#versions) for (const hash of version.blocks) this.known.add(hash);
    this.reorgs = reorgs;
  }

  /** A block that nobody else makes. */
  make(number: number): string {
    return `0x${(++this.#serial).toString(16).padStart(8, '0')}${number.toString(16).padStart(56, '0')}`;
  }

  at(atMs: number): Branch {
    return (this.#versions.findLast((version) => version.atMs <= atMs) ?? (this.#versions[0] as Version)).blocks;
  }
}

/** What is wrong with a node for a while. `lag`: many blocks behind. `early`: blocks of its own on top. `fork`: a branch of its own. `dead`: answers nothing. */
export type ViewTrouble = 'lag' | 'early' | 'fork' | 'dead';

export interface ViewSpan {
  readonly kind: ViewTrouble;
  readonly fromMs: number;
  readonly toMs: number;
}

/** One node: follows the chain late, or does not. */
export class ViewNode {
  readonly spans: readonly ViewSpan[];
  /** Tells of new heads by itself. */
  readonly streams: boolean;
  readonly latencyMs: number;
  readonly #chain: ViewChain;
  readonly #delayMs: number;
  readonly #own = new Map<number, string>();

  constructor(chain: ViewChain, random: Random, spans: readonly ViewSpan[]) {
    this.#chain = chain;
    this.spans = spans;
    this.streams = random() < 0.6;
    this.latencyMs = 1 + 20 * random();
    this.#delayMs = random() * Math.min(400, chain.blockMs * 0.6);
  }

  blocks(nowMs: number): Branch {
    const span = this.trouble(nowMs);
    const true_ = this.#chain.at(nowMs - this.#delayMs - (span?.kind === 'lag' ? 8 * this.#chain.blockMs : 0));
    if (span?.kind === 'early') return [...true_, this.#ownBlock(true_.length), this.#ownBlock(true_.length + 1)];
    if (span?.kind !== 'fork') return true_;
    const from = this.#chain.at(span.fromMs).length - 3;
    return true_.map((hash, number) => (number < from ? hash : this.#ownBlock(number)));
  }

  trouble(nowMs: number): ViewSpan | undefined {
    return this.spans.find(({ fromMs, toMs }) => fromMs <= nowMs && nowMs < toMs);
  }

  head(nowMs: number): Head {
    const blocks = this.blocks(nowMs);
    const number = blocks.length - 1;
    return { number, hash: blocks[number] ?? '', parentHash: blocks[number - 1] ?? '', timestampS: number };
  }

  mark(number: number, nowMs: number): BlockMark {
    return { number, hash: this.blocks(nowMs)[number] ?? '' };
  }

  /** The JSON-RPC answer to a call: a state is told as the hash of the block that it was read at. */
  answer(body: string, nowMs: number): Buffer {
    const { id, method, params } = JSON.parse(body) as { id: number; method: string; params: readonly unknown[] };
    return Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, ...this.#result(method, params, this.blocks(nowMs)) }));
  }

  #result(method: string, params: readonly unknown[], blocks: Branch): object {
    if (method === 'eth_getBlockByNumber') return { result: blockAt(blocks, heightOf(params[0], blocks)) };
    if (method === 'eth_getBlockByHash') return { result: blockAt(blocks, blocks.lastIndexOf(String(params[0]))) };
    if (method !== 'eth_getBalance') return { error: { code: -32601, message: 'the method does not exist' } };
    const at = params[1];
    const hash = typeof at === 'object' && at !== null ? (at as { blockHash: string }).blockHash : '';
    const number = hash === '' ? heightOf(at, blocks) : blocks.lastIndexOf(hash);
    return blocks[number] === undefined ? { error: { code: -32000, message: 'header not found' } } : { result: blocks[number] };
  }

  #ownBlock(number: number): string {
    const made = this.#own.get(number) ?? this.#chain.make(number);
    this.#own.set(number, made);
    return made;
  }
}

const heightOf = (at: unknown, blocks: Branch): number => (at === 'latest' ? blocks.length - 1 : Number(at));

const blockAt = (blocks: Branch, number: number): object | null =>
  blocks[number] === undefined ? null : { number: `0x${number.toString(16)}`, hash: blocks[number], parentHash: blocks[number - 1] ?? '', transactions: [] };
