import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mix32 } from '../../../src/base/hash.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { RankAsk } from '../../../src/route/flaws.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { boundedCapacity, distanceOf, Ranker } from '../../../src/route/rank.ts';
import type { RouteEntry, RouteTable } from '../../../src/route/table.ts';
import { askOf, entryOf, READ, specOf, tableOf } from '../../help/route.ts';

const KEYS = 4000;

interface Loaded {
  readonly book?: LoadBook;
  readonly epsilon?: number;
}

function order(
  table: RouteTable,
  ask: Partial<RankAsk>,
  { book = new LoadBook(64), epsilon = 0.25 }: Loaded = {},
  method = READ,
): number[] {
  const out = new Int32Array(table.entries.length);
  const count = new Ranker(book, epsilon).rank(table, method, askOf(ask), out);
  return [...out.subarray(0, count)];
}

/** Who serves each of some keys. */
function firsts(table: RouteTable, keys = KEYS): number[] {
  const ranker = new Ranker(new LoadBook(table.entries.length), 0.25);
  const ask = askOf();
  const out = new Int32Array(1);
  return Array.from({ length: keys }, (_, key) => {
    ask.keyHash = mix32(key);
    return ranker.rank(table, READ, ask, out) === 0 ? -1 : (out[0] ?? -1);
  });
}

const busy = (...counts: number[]): LoadBook => {
  const book = new LoadBook(counts.length);
  counts.forEach((count, index) => {
    for (let i = 0; i < count; i++) book.sent(index, 0);
  });
  return book;
};

const weights = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 2, maxLength: 8 });
const entriesOf = (list: readonly number[]): RouteEntry[] =>
  list.map((weight, index) => entryOf(index, { weight, name: `node-${index}-${list.length}`, maxInFlight: 10_000 }));

describe('the pure rank', () => {
  it('gives each node its share of the keys', () => {
    fc.assert(
      fc.property(weights, (list) => {
        const total = list.reduce((sum, weight) => sum + weight, 0);
        const served = firsts(tableOf(entriesOf(list)));
        list.forEach((weight, index) => {
          const share = weight / total;
          const spread = Math.sqrt((share * (1 - share)) / KEYS);
          expect(Math.abs(served.filter((one) => one === index).length / KEYS - share)).toBeLessThan(
            5 * spread + 0.002,
          );
        });
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it('moves only the keys of a node that leaves, and brings them back', () => {
    fc.assert(
      fc.property(weights, fc.nat(), (list, pick) => {
        const entries = entriesOf(list);
        const left = pick % list.length;
        const before = firsts(tableOf(entries), 500);
        const after = firsts(
          tableOf(entries.map((entry) => (entry.index === left ? { ...entry, weight: 0 } : entry))),
          500,
        );
        expect(after.includes(left)).toBe(false);
        expect(before.flatMap((node, key) => (node === left || after[key] === node ? [] : [key]))).toEqual([]);
      }),
      { numRuns: 25, seed: 7 },
    );
  });

  it('moves keys only towards a node that grew, and only its new share', () => {
    fc.assert(
      fc.property(weights, fc.nat(), fc.integer({ min: 2, max: 4 }), (list, pick, factor) => {
        const grown = pick % list.length;
        const weight = (list[grown] ?? 1) * factor;
        const entries = entriesOf(list);
        const before = firsts(tableOf(entries));
        const after = firsts(tableOf(entries.map((entry) => (entry.index === grown ? { ...entry, weight } : entry))));
        const moved = before.flatMap((node, key) => (after[key] === node ? [] : [after[key]]));
        expect(moved.every((node) => node === grown)).toBe(true);
        const total = list.reduce((sum, one) => sum + one, 0);
        const gain = weight / (total + weight - (list[grown] ?? 1)) - (list[grown] ?? 1) / total;
        expect(Math.abs(moved.length / KEYS - gain)).toBeLessThan(0.035);
      }),
      { numRuns: 12, seed: 7 },
    );
  });

  it('depends on names and weights alone, not on the order or the company of the entries', () => {
    const entries = entriesOf([100, 200, 300, 400, 50]);
    const mirrored = [...entries].reverse().map((entry, index) => ({ ...entry, index }));
    for (let key = 0; key < 300; key++) {
      const names = order(tableOf(entries), { keyHash: key }).map((index) => entries[index]?.name);
      expect(order(tableOf(mirrored), { keyHash: key }).map((index) => mirrored[index]?.name)).toEqual(names);
    }
  });

  it('keeps its answers from version to version', () => {
    const table = tableOf(entriesOf([100, 100, 100, 50]));
    expect([1, 2, 3, 4, 5, 6].map((key) => order(table, { keyHash: mix32(key) }).join(''))).toMatchInlineSnapshot(`
      [
        "0123",
        "2130",
        "0213",
        "1023",
        "0321",
        "2103",
      ]
    `);
  });

  it('gives the nearest 16 of any number of nodes, and no more than there is room for', () => {
    const entries = entriesOf(Array.from({ length: 50 }, (_, index) => 10 + index));
    const table = tableOf(entries);
    for (let key = 0; key < 200; key++) {
      const keyHash = mix32(key);
      const near = (index: number): number =>
        distanceOf(keyHash, entries[index]?.seed ?? 0, entries[index]?.weight ?? 1);
      const sorted = [...table.serving].sort((a, b) => near(a) - near(b));
      expect(order(table, { keyHash }, { epsilon: 99 })).toEqual(sorted.slice(0, 16));
    }
    expect(new Ranker(new LoadBook(50), 1).rank(table, READ, askOf(), new Int32Array(3))).toBe(3);
  });
});

describe('bounded load', () => {
  it('is the ceiling of the fair share plus epsilon', () => {
    expect(boundedCapacity(0.25, 3, 0.2)).toBe(1);
    expect(boundedCapacity(0.25, 0, 1 / 3)).toBe(1);
    expect(boundedCapacity(0.25, 11, 1 / 3)).toBe(5);
    expect(boundedCapacity(0.25, 11, 0.5)).toBe(8);
  });

  it('hands a key on to the next in order, and keeps the full node as the last resort', () => {
    const table = tableOf(entriesOf([100, 100, 100]));
    const [first = 0, second = 0, third = 0] = order(table, { keyHash: 9 });
    const load = [0, 0, 0];
    load[first] = 5;
    expect(order(table, { keyHash: 9 }, { book: busy(...load) })).toEqual([second, third, first]);
    load[second] = 5;
    load[third] = 5;
    expect(order(table, { keyHash: 9 }, { book: busy(...load) })).toEqual([first, second, third]);
  });

  it('keeps every node within its bound when calls pile up', () => {
    const table = tableOf(entriesOf([100, 200, 300]));
    const book = new LoadBook(3);
    // one hot key: without a bound all of it would go to one node
    for (let calls = 0; calls < 600; calls++) book.sent(order(table, { keyHash: 5 }, { book })[0] ?? 0, 0);
    for (const index of [0, 1, 2]) {
      expect(book.inFlight(index)).toBeLessThanOrEqual(boundedCapacity(0.25, 600, (index + 1) / 6));
    }
  });

  it('does not move calls about filters: those live on one node', () => {
    const table = tableOf(entriesOf([100, 100]));
    const filter = specOf({ class: 'filter' });
    const [first = 0] = order(table, { keyHash: 4 }, {}, filter);
    const book = busy(...(first === 0 ? [9, 0] : [0, 9]));
    expect(order(table, { keyHash: 4 }, { book }, filter)[0]).toBe(first);
    expect(order(table, { keyHash: 4 }, { book })[0]).not.toBe(first);
  });
});

describe('affinity none', () => {
  it('takes the less loaded of two, by weight', () => {
    const table = tableOf(entriesOf([100, 300]));
    for (let key = 0; key < 50; key++) {
      expect(order(table, { keyHash: mix32(key), affine: false }, { book: busy(3, 3), epsilon: 9 })[0]).toBe(1);
      expect(order(table, { keyHash: mix32(key), affine: false }, { book: busy(0, 5), epsilon: 9 })[0]).toBe(0);
    }
  });

  it('spreads calls by weight over random keys', () => {
    const table = tableOf(entriesOf([100, 100, 200]));
    const random = seededRandom(3);
    const book = new LoadBook(3);
    for (let calls = 0; calls < 2000; calls++)
      book.sent(order(table, { keyHash: (random() * 2 ** 32) >>> 0, affine: false }, { book, epsilon: 99 })[0] ?? 0, 0);
    expect(Math.abs(book.inFlight(2) - 1000)).toBeLessThan(30);
    expect(Math.abs(book.inFlight(0) - 500)).toBeLessThan(30);
  });
});

describe('exclusions', () => {
  const trace = specOf({ index: 3, capability: 'trace' });
  const STATE = specOf({ readsState: true });
  const alone = (change: Partial<RouteEntry>, ask: Partial<RankAsk> = {}, method = READ): number[] =>
    order(tableOf([entryOf(0, change), entryOf(1)]), ask, {}, method).sort();

  it('leave out who cannot serve the call', () => {
    expect(alone({ weight: 0 })).toEqual([1]);
    expect(alone({ denied: Uint8Array.of(0, 0, 0, 1) }, {}, trace)).toEqual([1]);
    expect(alone({ denied: Uint8Array.of(0, 0, 1, 0) }, {}, trace)).toEqual([0, 1]);
    expect(alone({ lacks: 2 }, {}, trace)).toEqual([1]);
    expect(alone({ lacks: 4 }, {}, trace)).toEqual([0, 1]);
    expect(alone({ maxInFlight: 0 })).toEqual([1]);
    expect(alone({ heldUntilMs: 11 }, { nowMs: 10 })).toEqual([1]);
    expect(alone({ heldUntilMs: 10 }, { nowMs: 10 })).toEqual([0, 1]);
    expect(alone({ headNumber: 99 }, { requiredBlock: 100 })).toEqual([1]);
    expect(alone({ headNumber: -1 }, { requiredBlock: 100 })).toEqual([0, 1]);
    expect(alone({ lowestState: 51 }, { stateBlock: 50 })).toEqual([1]);
    expect(alone({ lowestState: 50 }, { stateBlock: 50 })).toEqual([0, 1]);
    expect(alone({ stateFloor: 51 }, { stateBlock: 50 }, STATE)).toEqual([1]);
    expect(alone({ stateFloor: 50 }, { stateBlock: 50 }, STATE)).toEqual([0, 1]);
    expect(alone({ stateFloor: 51 }, { stateBlock: -1 }, STATE)).toEqual([0, 1]);
    expect(alone({ stateFloor: 51 }, { stateBlock: 50 }, specOf({ readsState: false }))).toEqual([0, 1]);
  });

  it('yield where nobody else is left: a held node before one without the data', () => {
    const table = tableOf([
      entryOf(0, { heldUntilMs: 99 }),
      entryOf(1, { headNumber: 5 }),
      entryOf(2, { headNumber: 5, heldUntilMs: 99 }),
    ]);
    expect(order(table, { requiredBlock: 50 })).toEqual([0]);
    expect(order(table, { requiredBlock: 200 })).toEqual([1]);
    expect(order(tableOf([entryOf(0, { heldUntilMs: 99 }), entryOf(1, { heldUntilMs: 99 })]), {})).toHaveLength(2);
  });

  it('name why nobody is left', () => {
    const refusal = (entries: RouteEntry[], method = READ, ask: Partial<RankAsk> = {}): string => {
      const ranker = new Ranker(new LoadBook(2), 0.25);
      expect(ranker.rank(tableOf(entries), method, askOf(ask), new Int32Array(2))).toBe(0);
      return ranker.refusal;
    };
    expect(refusal([])).toBe('noUpstream');
    expect(refusal([entryOf(0, { weight: 0 }), entryOf(1, { weight: 0 })])).toBe('noUpstream');
    expect(refusal([entryOf(0, { lacks: 2 }), entryOf(1, { lacks: 2 })], trace)).toBe('methodUnsupported');
    expect(refusal([entryOf(0, { lacks: 2 }), entryOf(1, { weight: 0 })], trace)).toBe('noUpstream');
    expect(refusal([entryOf(0, { maxInFlight: 0 }), entryOf(1, { weight: 0 })])).toBe('overloaded');
    const floors = (second: Partial<RouteEntry>): RouteEntry[] => [entryOf(0, { stateFloor: 9 }), entryOf(1, second)];
    expect(refusal(floors({ stateFloor: 9 }), STATE, { stateBlock: 8 })).toBe('noState');
    expect(refusal(floors({ weight: 0 }), STATE, { stateBlock: 8 })).toBe('noUpstream');
  });

  it('come after tiers: a better tier goes first, however loaded', () => {
    const table = tableOf([entryOf(0, { weight: 1 }), entryOf(1, { tier: 1, weight: 10_000 })]);
    for (let key = 0; key < 50; key++)
      expect(order(table, { keyHash: mix32(key) }, { book: busy(50, 0) })).toEqual([0, 1]);
  });
});
