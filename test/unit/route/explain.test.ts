import { describe, expect, it } from 'vitest';
import { explainRank } from '../../../src/route/explain.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { Ranker } from '../../../src/route/rank.ts';
import { askOf, entryOf, specOf, tableOf } from '../../help/route.ts';

describe('explainRank', () => {
  it('names every reason against every node, candidates first and in their order', () => {
    const entries = [
      entryOf(0, { weight: 0, state: 'ejected', lacks: 1 }),
      entryOf(1, { denied: Uint8Array.of(1), headNumber: 40 }),
      entryOf(2),
      entryOf(3, { heldUntilMs: 5, lowestState: 60, maxInFlight: 0 }),
      entryOf(4),
      entryOf(5, { tier: 1 }),
    ];
    const table = { ...tableOf(entries), serving: [1, 2, 3, 4] };
    const method = specOf({ capability: 'archive' });
    const ask = askOf({ requiredBlock: 50, stateBlock: 50, keyHash: 77 });
    const book = new LoadBook(6);
    const explained = explainRank(table, method, ask, { book, boundedLoad: 0.25 });

    const order = new Int32Array(6);
    const count = new Ranker(book, 0.25).rank(table, method, ask, order);
    expect(explained.filter((one) => one.position >= 0).map((one) => one.index)).toEqual([...order.subarray(0, count)]);
    expect(explained.slice(0, count).map((one) => one.position)).toEqual([0, 1]);
    expect(Object.fromEntries(explained.map((one) => [one.name, one.exclusions]))).toEqual({
      a: ['state', 'capability'],
      b: ['denied', 'behind'],
      c: [],
      d: ['full', 'held', 'pruned'],
      e: [],
      f: ['tier'],
    });
    expect(explained.find((one) => one.name === 'a')?.distance).toBeNull();
    const distances = explained.slice(0, count).map((one) => one.distance ?? 0);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });
});
