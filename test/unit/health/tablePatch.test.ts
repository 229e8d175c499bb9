import fc from 'fast-check';
import { expect, it } from 'vitest';
import { blankTable } from '../../../src/health/picture.ts';
import type { RouteEntry, RouteTable } from '../../../src/health/table.ts';
import { diffTable, patchTable } from '../../../src/health/tablePatch.ts';

const entry = (index: number, headNumber: number): RouteEntry => ({
  index, name: `n${index}`, seed: index, state: 'serving', tier: 0, weight: 100, headNumber, headHash: '', client: '', agreedNumber: headNumber,
  lacks: 0, lowestState: 0, stateFloor: 0, denied: null, heldUntilMs: 0, maxInFlight: 10, attemptTimeoutMs: 100, hedgeDelayMs: 50,
});

it('a table made of patches is the table that was told, and keeps the entries that did not change', () => {
  const step = fc.array(fc.tuple(fc.nat(5), fc.nat(100)), { maxLength: 6 });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let told: RouteTable = blankTable('main');
      let copy: RouteTable = blankTable('main');
      for (const changes of steps) {
        const entries = told.entries.slice();
        for (const [index, head] of changes) entries[Math.min(index, entries.length)] = entry(Math.min(index, entries.length), head);
        const next = { ...told, version: told.version + 1, trustedNumber: told.trustedNumber + 1, serving: entries.map((one) => one.index), entries };
        const before = copy;
        const patch = diffTable(told, next);
        copy = patchTable(copy, structuredClone(patch), (one) => ({ ...one }));
        expect(copy).toEqual(next);
        for (const [i, one] of next.entries.entries()) expect(copy.entries[i] === before.entries[i]).toBe(one === told.entries[i]);
        told = next;
      }
    }),
  );
});
