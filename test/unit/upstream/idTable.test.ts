import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdTable } from '../../../src/upstream/idTable.ts';

describe('IdTable', () => {
  it('keeps items apart whose ids leave the same remainder', () => {
    const table = new IdTable<{ id: number; name: string }>();
    const items = [1, 4097, 8193].map((id) => ({ id, name: `item ${id}` }));
    for (const item of items) expect(table.add(item)).toBe(true);
    expect(table.add({ id: 4097, name: 'another' })).toBe(false);
    expect(table.take(1)).toBe(items[0]);
    expect(table.take(4097)).toBe(items[1]);
    expect(table.take(4097)).toBeNull();
    expect(table.remove({ id: 8193, name: 'another' })).toBe(false);
    expect(table.size).toBe(1);
    expect(table.clear()).toEqual([items[2]]);
    expect([table.size, table.take(8193), table.take(-1), table.take(Number.NaN)]).toEqual([0, null, null, null]);
  });

  it('does as a Map does', () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 40 }).map((n) => (n % 8) + Math.floor(n / 8) * 4096), add: fc.boolean() });
    fc.assert(fc.property(fc.array(step), (steps) => {
      const table = new IdTable<{ id: number }>();
      const map = new Map<number, { id: number }>();
      for (const { id, add } of steps) {
        const item = { id };
        if (add) {
          expect(table.add(item)).toBe(!map.has(id));
          if (!map.has(id)) map.set(id, item);
        } else {
          expect(table.take(id)).toBe(map.get(id) ?? null);
          map.delete(id);
        }
        expect(table.size).toBe(map.size);
      }
      expect(new Set(table.clear())).toEqual(new Set(map.values()));
    }));
  });
});
