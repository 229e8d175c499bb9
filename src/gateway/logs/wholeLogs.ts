import { BloomMaker, bloomIsEmpty } from '../../chain/evm/bloom.ts';
import type { BlockHeader } from '../../subs/header.ts';
import { logsOfReceipts, readLogs } from '../../subs/logs.ts';
import type { BlockLog, LogsAnswer } from '../../subs/logs.ts';
import type { BlockAsker, LogsHost } from './host.ts';

interface Stored {
  readonly logs: readonly BlockLog[];
  readonly sizeBytes: number;
}

/** What one node said that could not be proven. */
interface Word {
  readonly answer: LogsAnswer;
  readonly node: number;
  readonly ofReceipts: boolean;
}

const NONE: readonly BlockLog[] = [];
/** Addresses and topics whose bits are remembered. */
const MAX_BLOOM_ITEMS = 50_000;
/** What a stored block and each of its logs cost beside their text. */
const OVERHEAD_BYTES = 200;
/** How often the nodes are asked, and the first wait between: their indexes may be about to catch up with their heads. */
const ROUNDS = 4;
const REST_MS = 100;

/**
 * All logs of single blocks, by block hash, proven whole: they make the very bloom of the block, or two words agree on them, one
 * that of receipts, and nothing of the bloom is missing. A node whose index lags behind its head is thus never believed.
 */
export class WholeLogs {
  /** Bytes of everything kept. */
  sizeBytes = 0;
  readonly #host: LogsHost;
  readonly #blooms = new BloomMaker(MAX_BLOOM_ITEMS);
  readonly #stored = new Map<string, Stored>();
  readonly #asked = new Map<string, Promise<readonly BlockLog[] | null>>();

  constructor(host: LogsHost) {
    this.#host = host;
  }

  /** Null: no node could tell them whole. */
  of(asker: BlockAsker, header: BlockHeader): Promise<readonly BlockLog[] | null> {
    const { hash, bloom } = header;
    if (bloom !== null && bloomIsEmpty(bloom)) return Promise.resolve(NONE);
    const stored = this.#stored.get(hash);
    if (stored !== undefined) {
      this.#stored.delete(hash);
      this.#stored.set(hash, stored);
      return Promise.resolve(stored.logs);
    }
    const asked = this.#asked.get(hash) ?? this.#fetch(asker, header).finally(() => this.#asked.delete(hash));
    this.#asked.set(hash, asked);
    return asked;
  }

  has(hash: string): boolean {
    return this.#stored.has(hash);
  }

  clear(): void {
    this.#stored.clear();
    this.sizeBytes = 0;
  }

  async #fetch(asker: BlockAsker, header: BlockHeader): Promise<readonly BlockLog[] | null> {
    const words: Word[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      if (round > 0) await asker.rest(REST_MS * 2 ** round);
      const logs = (await this.#ask(asker, header, words, false)) ?? (await this.#ask(asker, header, words, true));
      if (logs === null) continue;
      this.#keep(header.hash, logs);
      return logs;
    }
    return null;
  }

  async #ask(asker: BlockAsker, header: BlockHeader, words: Word[], ofReceipts: boolean): Promise<readonly BlockLog[] | null> {
    let taken: readonly BlockLog[] | null = null;
    const take = (value: unknown, node: number): boolean => {
      const list = ofReceipts ? logsOfReceipts(header, value) : value;
      const answer = list === null ? null : readLogs(header, list, this.#blooms);
      if (answer === null || !this.#isRight({ answer, node, ofReceipts }, words)) return false;
      taken = answer.logs;
      return true;
    };
    const { hash } = header;
    if (ofReceipts) await asker.ask('receipts', ['eth_getBlockReceipts', `["${hash}"]`], take);
    else await asker.ask('block', ['eth_getLogs', `[{"blockHash":"${hash}"}]`], take);
    return taken;
  }

  #isRight(word: Word, words: Word[]): boolean {
    const { answer, node, ofReceipts } = word;
    if (answer.fit === 'exact') return true;
    const isBacked = words.some((other) => (other.ofReceipts || ofReceipts) && (other.node !== node || other.ofReceipts !== ofReceipts) && other.answer.signature === answer.signature);
    words.push(word);
    return isBacked && answer.fit === 'over';
  }

  #keep(hash: string, logs: readonly BlockLog[]): void {
    const sizeBytes = logs.reduce((sum, { raw }) => sum + raw.length + OVERHEAD_BYTES, OVERHEAD_BYTES);
    this.#stored.set(hash, { logs, sizeBytes });
    this.sizeBytes += sizeBytes;
    for (const [oldest, stored] of this.#stored) {
      if (this.sizeBytes <= this.#host.config.logs.blocks.maxBytes) return;
      this.#stored.delete(oldest);
      this.sizeBytes -= stored.sizeBytes;
    }
  }
}
