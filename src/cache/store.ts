import { LRUCache } from 'lru-cache';
import type { ChainView } from '../chain/view.ts';
import { type Entry, holds, isPast, isReplaced } from './entry.ts';
import { HeightIndex } from './heights.ts';
import type { CallAsk } from './rule.ts';
import type { TierTally } from './tally.ts';

/** What an entry costs beside its key and value: measured with lru-cache 11 on Node 20. */
const ENTRY_BYTES = 330;

/** Limits of the first tier of one chain. */
export interface StoreLimits {
  /** Bytes in all: values, keys and what keeping them costs. */
  readonly maxBytes: number;
  /** An answer beyond this is not stored. */
  readonly maxEntryBytes: number;
}

/** What a flush takes; absent members mean any. */
export interface FlushScope {
  /** Method by its exact name. */
  readonly method?: string;
  /** Answers bound to this height or a higher one. */
  readonly fromNumber?: number;
}

/** What a reorg took. */
export interface ReorgDrop {
  readonly entries: number;
  /** Heights of which something was stored. */
  readonly heights: number;
}

/** First tier: answers of one chain in the memory of this process, least recently used out first. */
export class CacheStore {
  readonly #tally: TierTally;
  readonly #entries: LRUCache<string, Entry>;
  readonly #heights = new HeightIndex();
  readonly #maxEntryBytes: number;
  /** Epoch of the chain that the store was last brought up to. */
  epoch = 0;

  constructor({ maxBytes, maxEntryBytes }: StoreLimits, tally: TierTally) {
    this.#tally = tally;
    this.#maxEntryBytes = Math.min(maxEntryBytes, maxBytes);
    this.#entries = new LRUCache<string, Entry>({
      maxSize: Math.max(1, maxBytes),
      dispose: (entry, _key, reason) => this.#onGone(entry, reason === 'evict'),
    });
  }

  /** Hot: the answer to a call, as the chain is now; null = none. An answer of a replaced block is dropped when met. */
  get(ask: CallAsk, view: ChainView, nowMs: number): Entry | null {
    const entry = this.#entries.get(ask.key);
    if (entry !== undefined) {
      if (holds(entry, ask, view, nowMs)) {
        this.#tally.onHit(entry.class);
        return entry;
      }
      if (isPast(entry, view)) this.#entries.delete(ask.key);
    }
    if (ask.class !== 'never') this.#tally.onMiss(ask.class);
    return null;
  }

  /** Whether `get` would give an answer; counts and moves nothing. */
  holds(ask: CallAsk, view: ChainView, nowMs: number): boolean {
    const entry = this.#entries.peek(ask.key);
    return entry !== undefined && holds(entry, ask, view, nowMs);
  }

  /** The entry with this key, whether it holds or not, to derive from; counts nothing. */
  source(key: string): Entry | null {
    return this.#entries.get(key) ?? null;
  }

  /** Whether an answer of so many bytes would be stored. */
  fits(key: string, valueBytes: number): boolean {
    return key.length + valueBytes + ENTRY_BYTES <= this.#maxEntryBytes;
  }

  put(entry: Entry): void {
    const sizeBytes = sizeOf(entry);
    if (sizeBytes > this.#maxEntryBytes) return;
    this.#entries.set(entry.key, entry, { size: sizeBytes });
    this.#tally.onStore(entry.class, sizeBytes);
    if (entry.bond !== 'static') this.#heights.add(entry.number, entry.key);
  }

  /** After a reorg: drops the answers of exactly the blocks that were replaced. */
  sync(view: ChainView): ReorgDrop {
    if (view.epoch === this.epoch) return { entries: 0, heights: 0 };
    this.epoch = view.epoch;
    let entries = 0;
    let heights = 0;
    for (const number of this.#heights.heightsFrom(0)) {
      const before = entries;
      for (const key of this.#heights.keysAt(number)) {
        const entry = this.#entries.peek(key);
        if (entry === undefined || !isReplaced(entry, view)) continue;
        this.#entries.delete(key);
        entries++;
      }
      if (entries > before) heights++;
    }
    return { entries, heights };
  }

  /** @returns how many entries went */
  flush({ method, fromNumber }: FlushScope): number {
    let gone = 0;
    for (const [key, entry] of [...this.#entries.entries()]) {
      if (method !== undefined && !key.startsWith(`${method}\n`)) continue;
      if (fromNumber !== undefined && (entry.bond === 'static' || entry.number < fromNumber)) continue;
      this.#entries.delete(key);
      gone++;
    }
    return gone;
  }

  #onGone(entry: Entry, evicted: boolean): void {
    this.#tally.onGone(entry.class, sizeOf(entry), evicted);
    if (entry.bond !== 'static') this.#heights.remove(entry.number, entry.key);
  }
}

const sizeOf = (entry: Entry): number => entry.key.length + entry.value.length + ENTRY_BYTES;
