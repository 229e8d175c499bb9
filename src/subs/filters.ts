import type { BloomBits } from '../chain/evm/bloom.ts';
import { bloomBits, bloomHas } from '../chain/evm/bloom.ts';
import { wants } from '../chain/logs/filter.ts';
import type { LogFilter } from '../chain/logs/filter.ts';
import type { BlockLog } from './logs.ts';

interface Entry {
  readonly key: string;
  readonly filter: LogFilter;
  /** Bits of the alternatives, for each place that is not open; a block without any of one place holds no match. */
  readonly bits: readonly (readonly BloomBits[])[];
}

/** The filters of all log topics, found by address, else by first topic: what a log costs does not grow with all of them. */
export class FilterIndex {
  readonly #entries = new Map<string, Entry>();
  readonly #byAddress = new Map<string, Set<Entry>>();
  readonly #byTopic = new Map<string, Set<Entry>>();
  readonly #open = new Set<Entry>();

  get size(): number {
    return this.#entries.size;
  }

  add(key: string, filter: LogFilter): void {
    if (this.#entries.has(key)) return;
    const places = [filter.addresses, ...filter.topics].filter((any) => any.length > 0);
    const entry: Entry = { key, filter, bits: places.map((any) => any.map(bloomBits)) };
    this.#entries.set(key, entry);
    for (const [map, item] of this.#slots(filter)) {
      const set = map.get(item);
      if (set === undefined) map.set(item, new Set([entry]));
      else set.add(entry);
    }
    if (this.#slots(filter).length === 0) this.#open.add(entry);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#open.delete(entry);
    for (const [map, item] of this.#slots(entry.filter)) {
      const set = map.get(item);
      set?.delete(entry);
      if (set?.size === 0) map.delete(item);
    }
  }

  clear(): void {
    for (const key of [...this.#entries.keys()]) this.remove(key);
  }

  /** False when no log of a block with this bloom can match any filter. */
  mayMatch(bloom: Uint8Array | null): boolean {
    if (bloom === null) return this.#entries.size > 0;
    for (const { bits } of this.#entries.values()) {
      if (bits.every((any) => any.some((item) => bloomHas(bloom, item)))) return true;
    }
    return false;
  }

  /** Calls `found` with the key of each filter that wants the log. True when there was one. */
  match(log: BlockLog, found: (key: string) => void): boolean {
    let any = false;
    for (const set of [this.#byAddress.get(log.address), this.#byTopic.get(log.topics[0] ?? ''), this.#open]) {
      for (const { key, filter } of set ?? []) {
        if (!wants(filter, log.address, log.topics)) continue;
        any = true;
        found(key);
      }
    }
    return any;
  }

  #slots({ addresses, topics }: LogFilter): readonly (readonly [Map<string, Set<Entry>>, string])[] {
    if (addresses.length > 0) return addresses.map((item) => [this.#byAddress, item]);
    return (topics[0] ?? []).map((item) => [this.#byTopic, item]);
  }
}
