import { isRecord, readQuantity } from '../../chain/evm/fields.ts';
import type { BlockSpan } from '../../chain/logs/query.ts';
import { readHeader } from '../../subs/header.ts';
import type { BlockHeader } from '../../subs/header.ts';
import { headerHash } from '../headerHash.ts';
import type { Vantage } from '../vantage.ts';
import type { BlockAsker, LogsHost } from './host.ts';

/** Headers that are kept. */
const MAX_HEADERS = 4096;

const hex = (number: number): string => `0x${number.toString(16)}`;

/**
 * Headers by hash. One is right when its fields make its hash; where no header of the chain ever did, it is taken as told.
 */
export class Headers {
  readonly #host: LogsHost;
  readonly #known = new Map<string, BlockHeader>();
  readonly #asked = new Map<string, Promise<void>>();
  #provable = false;

  constructor(host: LogsHost) {
    this.#host = host;
  }

  /** The header of a block; null: no node has it. */
  async of(asker: BlockAsker, hash: string): Promise<BlockHeader | null> {
    if (!this.#known.has(hash)) await this.#ask(asker, 'eth_getBlockByHash', hash);
    return this.#known.get(hash) ?? null;
  }

  /** Height of the block that a node calls safe, at most `top`; -1 = none says. */
  async safeNumber(asker: BlockAsker, top: number): Promise<number> {
    let number = -1;
    await asker.ask('header', ['eth_getBlockByNumber', '["safe",false]'], (value) => {
      number = Math.min(top, isRecord(value) ? readQuantity(value['number']) : -1);
      return number >= 0;
    });
    return number;
  }

  /**
   * The trusted branch of these blocks as `vantage` sees it, lowest first. Null: some of them could not be had, or the chain
   * changed meanwhile.
   */
  async branch(asker: BlockAsker, { from, to }: BlockSpan, vantage: Vantage): Promise<readonly BlockHeader[] | null> {
    let top = to;
    while (top < vantage.number && vantage.hashAt(top) === '') top++;
    const tip = top === vantage.number ? (vantage.head?.hash ?? '') : vantage.hashAt(top);
    if (tip === '') return null;
    await this.#prefetch(asker, { from, to: top - 1 }, vantage);
    const headers: BlockHeader[] = [];
    let hash = tip;
    for (let number = top; number >= from; number--) {
      const header = await this.of(asker, hash);
      if (header?.number !== number) return null;
      if (number <= to) headers.push(header);
      hash = header.parentHash;
    }
    return headers.reverse();
  }

  /** Asks for all of them at once: a walk from child to parent takes one round trip each. */
  async #prefetch(asker: BlockAsker, { from, to }: BlockSpan, vantage: Vantage): Promise<void> {
    const asks: Promise<void>[] = [];
    for (let number = from; number <= to; number++) {
      const hash = vantage.hashAt(number);
      if (hash === '') asks.push(this.#ask(asker, 'eth_getBlockByNumber', hex(number)));
      else if (!this.#known.has(hash)) asks.push(this.#ask(asker, 'eth_getBlockByHash', hash));
    }
    await Promise.all(asks);
  }

  #ask(asker: BlockAsker, method: 'eth_getBlockByHash' | 'eth_getBlockByNumber', name: string): Promise<void> {
    const key = `${method}:${name}`;
    const under = this.#asked.get(key);
    if (under !== undefined) return under;
    const asked = asker.ask('header', [method, `["${name}",false]`], (value) => this.#take(value, name)).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  #take(value: unknown, name: string): boolean {
    if (!isRecord(value)) return false;
    const header = readHeader(value, this.#host.config.logs.trustBloom);
    if (header === null || (header.hash !== name && hex(header.number) !== name)) return false;
    if (headerHash(value) === header.hash) this.#provable = true;
    else if (this.#provable) return false;
    this.#known.set(header.hash, header);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MAX_HEADERS) break;
      this.#known.delete(oldest);
    }
    return true;
  }
}
