import type { ChainView } from '../../chain/view.ts';
import { holds } from '../entry.ts';
import type { Entry } from '../entry.ts';
import type { CallAsk } from '../rule.ts';
import { readBlock, readLogParts, readReceipts } from './parts.ts';
import type { BlockParts, LogPart, Part } from './parts.ts';
import { TxIndex } from './txIndex.ts';

const FULL = ',true\n';
const BLOCK = /^eth_getBlockBy(?:Number|Hash)\n@,(?:true|false)\n/;
const RECEIPTS = /^eth_getBlockReceipts\n@\n/;
const RECEIPT = /^eth_getTransactionReceipt\n/;

/** Whether other answers can be derived from this one: only of these the client is noted when they are stored. */
export const isSource = (key: string): boolean => BLOCK.test(key) || RECEIPTS.test(key) || RECEIPT.test(key);

/** Stored answers as `Sources` finds them. */
export interface Shelf {
  /** The entry with this key, whether it holds or not; null = none. */
  source(key: string): Entry | null;
}

/** One call that is to be derived, and the chain as its client sees it. */
export interface Wanted {
  readonly ask: CallAsk;
  readonly sight: ChainView;
  readonly nowMs: number;
}

/** What can be derived from: answers that are stored, told apart once each. */
export class Sources {
  readonly index: TxIndex;
  private readonly shelf: Shelf;
  private readonly blocks = new WeakMap<Entry, BlockParts | null>();
  private readonly receipts = new WeakMap<Entry, readonly Part[] | null>();
  private readonly logs = new WeakMap<Entry, readonly LogPart[] | null>();
  /** Somebody has asked for a transaction or a receipt by hash: before, blocks are not searched for them. */
  private isSearched = false;

  constructor(shelf: Shelf, maxTransactions: number) {
    this.shelf = shelf;
    this.index = new TxIndex(maxTransactions);
  }

  /** An answer was stored. */
  onStored(entry: Entry): void {
    if (!isBound(entry)) return;
    const { key, number, hash } = entry;
    if (BLOCK.test(key) || RECEIPTS.test(key)) this.index.addBlock(number, hash);
    else return;
    if (!this.isSearched || this.index.has(hash)) return;
    const parts = RECEIPTS.test(key) ? this.receiptsOf(entry) : key.includes(FULL) ? this.blockOf(entry)?.parts : null;
    if (parts != null && parts.length > 0) this.index.addTransactions(number, hash, parts.map((part) => part.hash));
  }

  /** The block that a call is about; null = it is not known, or not stored. `hash` '' = that of its number. */
  locate({ ask }: Wanted, transaction: string | null): { readonly number: number; readonly hash: string } | null {
    if (transaction !== null) {
      this.isSearched = true;
      return this.index.blockOf(transaction);
    }
    return ask.number >= 0 ? ask : this.index.block(ask.hash);
  }

  /** The entry with this key where it counts for the call: of the block, on the branch that its client sees. */
  find(key: string, { ask, sight, nowMs }: Wanted, hash: string): Entry | null {
    const entry = this.shelf.source(key);
    if (entry === null || !isBound(entry) || (hash !== '' && entry.hash !== hash)) return null;
    return holds(entry, ask, sight, nowMs) ? entry : null;
  }

  blockOf(entry: Entry): BlockParts | null {
    return memo(this.blocks, entry, () => readBlock(entry.value, entry.hash));
  }

  receiptsOf(entry: Entry): readonly Part[] | null {
    return memo(this.receipts, entry, () => readReceipts(entry.value, entry.hash));
  }

  logsOf(entry: Entry): readonly LogPart[] | null {
    return memo(this.logs, entry, () => {
      const receipts = this.receiptsOf(entry);
      return receipts === null ? null : readLogParts(entry.value, receipts);
    });
  }
}

/** Only what is bound to a block by its hash, and known to be of which client, can stand for something else. */
const isBound = (entry: Entry): boolean => entry.bond === 'block' && !entry.isError && entry.hash !== '' && (entry.client ?? '') !== '';

function memo<T>(known: WeakMap<Entry, T>, entry: Entry, read: () => T): T {
  const before = known.get(entry);
  if (before !== undefined) return before;
  const value = read();
  known.set(entry, value);
  return value;
}
