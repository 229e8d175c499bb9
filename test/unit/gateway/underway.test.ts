import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UnderwaySet } from '../../../src/gateway/underway.ts';
import type { Placed } from '../../../src/gateway/underway.ts';

interface Item extends Placed {
  readonly name: number;
}

const items = (count: number): Item[] => Array.from({ length: count }, (_, name) => ({ name, place: -1 }));
const names = (set: UnderwaySet<Item>): number[] => set.snapshot().map(({ name }) => name).sort((a, b) => a - b);

describe('calls under way', () => {
  test('hold what a Set would hold, whatever comes and goes', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.nat(9)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (list) => {
        const all = items(10);
        const set = new UnderwaySet<Item>();
        const oracle = new Set<Item>();
        for (const [adds, at] of list) {
          const item = all[at] as Item;
          if (adds) {
            set.add(item);
            oracle.add(item);
          } else {
            set.delete(item);
            oracle.delete(item);
          }
          expect(set.size).toBe(oracle.size);
        }
        expect(names(set)).toEqual([...oracle].map(({ name }) => name).sort((a, b) => a - b));
      }),
    );
  });

  test('a snapshot stays as it was', () => {
    const set = new UnderwaySet<Item>();
    const all = items(3);
    for (const item of all) set.add(item);
    const before = set.snapshot();
    for (const item of all) set.delete(item);
    expect(before).toHaveLength(3);
    expect(set.size).toBe(0);
  });
});
