import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Entry, StoredClass } from '../../../src/cache/entry.ts';
import { KeyReader } from '../../../src/cache/key.ts';
import { planOf } from '../../../src/cache/plan.ts';
import { askOf, type CallAsk } from '../../../src/cache/rule.ts';
import { CacheStore } from '../../../src/cache/store.ts';
import type { TierTally } from '../../../src/cache/tally.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const catalog = evmCatalog();
const reader = new KeyReader();
const A = `0x${'ab'.repeat(20)}`;

class Sums implements TierTally {
  hits = 0;
  misses = 0;
  stores = 0;
  evicted = 0;
  entries = 0;
  bytes = 0;
  onHit(): void {
    this.hits++;
  }
  onMiss(): void {
    this.misses++;
  }
  onStore(_of: StoredClass, sizeBytes: number): void {
    this.stores++;
    this.entries++;
    this.bytes += sizeBytes;
  }
  onGone(_of: StoredClass, sizeBytes: number, evicted: boolean): void {
    this.entries--;
    this.bytes -= sizeBytes;
    if (evicted) this.evicted++;
  }
}

const ask = (view: HandView, method: string, params: string): CallAsk => askOf(planOf(catalog.find(method) ?? catalog.unknownSpec), params, view, reader);
const balanceAt = (view: HandView, block: number | string): CallAsk =>
  ask(view, 'eth_getBalance', `["${A}","${typeof block === 'number' ? `0x${block.toString(16)}` : block}"]`);
const entryOf = (call: CallAsk, text: string, change: Partial<Entry> = {}): Entry => ({
  key: call.key, value: Buffer.from(text), isError: false, bond: call.class === 'static' ? 'static' : 'block',
  number: call.number, hash: call.hash, askedMs: 0, class: call.class as StoredClass, ...change,
});
const text = (entry: Entry | null): string | null => (entry === null ? null : entry.value.toString());

const opened = (maxBytes = 1 << 20, maxEntryBytes = 1 << 16): { store: CacheStore; sums: Sums; view: HandView } => {
  const sums = new Sums();
  return { store: new CacheStore({ maxBytes, maxEntryBytes }, sums), sums, view: new HandView() };
};

describe('an answer is used', () => {
  it('for its block by number and, at the head, by tag; by tag for two block times at most', () => {
    const { store, sums, view } = opened();
    store.put(entryOf(balanceAt(view, 'latest'), '"0x1"', { askedMs: 1000 }));
    expect(text(store.get(balanceAt(view, 'latest'), view, 5000))).toBe('"0x1"');
    expect(store.get(balanceAt(view, 'latest'), view, 5001)).toBeNull();
    expect(text(store.get(balanceAt(view, 100), view, 1e9))).toBe('"0x1"');
    view.grow();
    expect(store.get(balanceAt(view, 'latest'), view, 1000)).toBeNull();
    expect(text(store.get(balanceAt(view, 100), view, 1000))).toBe('"0x1"');
    expect(sums).toMatchObject({ hits: 3, misses: 2, stores: 1, entries: 1 });
  });

  it('about the moment until the next head', () => {
    const { store, view } = opened();
    const price = (): CallAsk => ask(view, 'eth_gasPrice', '');
    store.put(entryOf(price(), '"0x5"', { bond: 'head', class: 'head' }));
    expect(text(store.get(price(), view, 10))).toBe('"0x5"');
    expect(store.get(price(), view, 4001)).toBeNull();
    store.put(entryOf(price(), '"0x5"', { bond: 'head', class: 'head' }));
    view.grow();
    expect(store.get(price(), view, 10)).toBeNull();
  });

  it('by a stale process never, once its chain knows better', () => {
    const { store, sums, view } = opened();
    store.put(entryOf(balanceAt(view, 80), '"0x1"'));
    view.reorg(75, 'b');
    view.epoch = 0; // nobody told the store
    expect(store.get(balanceAt(view, 80), view, 0)).toBeNull();
    expect(sums.entries).toBe(0);
  });

  it('of a final block that left the window of known hashes', () => {
    const { store, view } = opened();
    store.put(entryOf(balanceAt(view, 10), '"0x1"'));
    view.forgetBelow(40);
    expect(text(store.get(balanceAt(view, 10), view, 1e9))).toBe('"0x1"');
  });

  it('of an unfinalized block that left it no more', () => {
    const { store, view } = opened();
    store.put(entryOf(balanceAt(view, 60), '"0x1"'));
    view.forgetBelow(70);
    expect(store.get(balanceAt(view, 60), view, 0)).toBeNull();
  });
});

describe('a reorg', () => {
  it('takes the answers of exactly the heights that it replaced, whatever the method', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 40, max: 100 }), { maxLength: 60 }), fc.integer({ min: 51, max: 100 }), (heights, from) => {
        const { store, sums, view } = opened();
        const calls = (number: number): CallAsk[] => [
          balanceAt(view, number),
          ask(view, 'eth_getBlockByNumber', `["0x${number.toString(16)}",false]`),
          ask(view, 'eth_getLogs', `[{"fromBlock":"0x1","toBlock":"0x${number.toString(16)}"}]`),
          { ...ask(view, 'eth_getBlockByHash', `["${hashOf(number)}",false]`), number },
        ];
        for (const number of heights) for (const call of calls(number)) store.put(entryOf(call, `"${number}"`));
        const before = new Map(heights.map((number) => [number, calls(number)]));
        const unique = new Set(heights);
        view.reorg(from, 'b');
        const replaced = [...unique].filter((number) => number >= from);
        expect(store.sync(view)).toEqual({ entries: 4 * replaced.length, heights: replaced.length });
        expect(sums.entries).toBe(4 * (unique.size - replaced.length));
        for (const [number, asked] of before) {
          for (const call of asked) expect(text(store.get(call, view, 0))).toBe(number >= from ? null : `"${number}"`);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the store', () => {
  it('stays within its bytes, least recently used out first, and keeps no giant', () => {
    const { store, sums, view } = opened(20_000, 4000);
    for (let n = 0; n < 50; n++) {
      store.put(entryOf(balanceAt(view, n), 'x'.repeat(1000)));
      store.get(balanceAt(view, 0), view, 0);
    }
    expect(sums.bytes).toBeLessThanOrEqual(20_000);
    expect(sums.evicted).toBe(50 - sums.entries);
    expect(store.get(balanceAt(view, 0), view, 0)).not.toBeNull();
    expect(store.get(balanceAt(view, 1), view, 0)).toBeNull();
    store.put(entryOf(balanceAt(view, 60), 'x'.repeat(4000)));
    expect(store.get(balanceAt(view, 60), view, 0)).toBeNull();
    expect(store.fits(balanceAt(view, 60).key, 4000)).toBe(false);
  });

  it('flushes by method, by height, or all', () => {
    const { store, sums, view } = opened();
    const fill = (): void => {
      for (const n of [10, 60, 90]) {
        store.put(entryOf(balanceAt(view, n), '"0x1"'));
        store.put(entryOf(ask(view, 'eth_getBlockByNumber', `["0x${n.toString(16)}",false]`), '{}'));
      }
      store.put(entryOf(ask(view, 'eth_chainId', ''), '"0x1"'));
    };
    fill();
    expect(store.flush({ method: 'eth_getBalance', fromNumber: 60 })).toBe(2);
    expect(store.flush({ fromNumber: 60 })).toBe(2);
    expect(store.flush({ method: 'eth_getBlock' })).toBe(0);
    expect(store.flush({})).toBe(3);
    expect(sums).toMatchObject({ entries: 0, bytes: 0 });
  });
});
