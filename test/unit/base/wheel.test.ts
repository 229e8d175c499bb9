import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimerWheel } from '../../../src/base/wheel.ts';

interface Item {
  readonly name: number;
}

const due = (wheel: TimerWheel<Item>, nowMs: number): number[] => {
  const names: number[] = [];
  wheel.expire(nowMs, (item) => names.push(item.name));
  return names;
};

describe('TimerWheel', () => {
  it('lets items fall due at their time or up to a tick later, never early', () => {
    const wheel = new TimerWheel<Item>({ tickMs: 8, buckets: 4 });
    wheel.add(8, { name: 1 });
    wheel.add(9, { name: 2 });
    wheel.add(1000, { name: 3 });
    expect(due(wheel, 7.9)).toEqual([]);
    expect(due(wheel, 8)).toEqual([1]);
    expect(due(wheel, 15)).toEqual([]);
    expect(due(wheel, 16)).toEqual([2]);
    expect(due(wheel, 999)).toEqual([]);
    expect(due(wheel, 1000)).toEqual([3]);
    expect(wheel.size).toBe(0);
  });

  it('cancels once, and never a newer item through an old handle', () => {
    const wheel = new TimerWheel<Item>();
    const first = wheel.add(10, { name: 1 });
    expect([wheel.cancel(first), wheel.cancel(first)]).toEqual([true, false]);
    wheel.add(10, { name: 2 });
    expect(wheel.cancel(first)).toBe(false);
    expect(due(wheel, 100)).toEqual([2]);
    expect(wheel.cancel(-5)).toBe(false);
    expect(wheel.cancel(3)).toBe(false);
  });

  it('lets what is due cancel its neighbours and add again', () => {
    const wheel = new TimerWheel<Item>();
    const ran: number[] = [];
    const handles = [1, 2, 3].map((name) => wheel.add(5, { name }));
    wheel.expire(50, (item) => {
      ran.push(item.name);
      if (item.name === 1) wheel.cancel(handles[1] ?? -1);
      if (item.name === 3) wheel.add(0, { name: 4 });
    });
    expect(ran).toEqual([1, 3]);
    expect(due(wheel, 50)).toEqual([]);
    expect(due(wheel, 58)).toEqual([4]);
  });

  it('agrees with a plain list, whatever is added, cancelled and waited for', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('add' as const), value: fc.integer({ min: -20, max: 900 }) }),
      fc.record({ kind: fc.constant('cancel' as const), value: fc.nat() }),
      fc.record({ kind: fc.constant('wait' as const), value: fc.nat(300) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const wheel = new TimerWheel<Item>({ tickMs: 5, buckets: 16 });
        const waiting = new Map<number, { handle: number; atMs: number; addedMs: number }>();
        let nowMs = 1000;
        due(wheel, nowMs);
        steps.forEach(({ kind, value }, name) => {
          if (kind === 'add') {
            waiting.set(name, { handle: wheel.add(nowMs + value, { name }), atMs: nowMs + value, addedMs: nowMs });
          } else if (kind === 'cancel') {
            const pick = [...waiting.keys()][value % Math.max(1, waiting.size)];
            if (pick === undefined) return;
            expect(wheel.cancel(waiting.get(pick)?.handle ?? -1)).toBe(true);
            waiting.delete(pick);
          } else {
            nowMs += value;
            for (const fallen of due(wheel, nowMs)) {
              expect(waiting.get(fallen)?.atMs).toBeLessThanOrEqual(nowMs);
              expect(waiting.delete(fallen)).toBe(true);
            }
            // what was due before it was added is late only from then on
            for (const { atMs, addedMs } of waiting.values()) expect(Math.max(atMs, addedMs)).toBeGreaterThan(nowMs - 5);
          }
          expect(wheel.size).toBe(waiting.size);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('refuses what has no time, and a shape without size', () => {
    expect(() => new TimerWheel<Item>().add(Number.POSITIVE_INFINITY, { name: 1 })).toThrow(RangeError);
    expect(() => new TimerWheel<Item>({ tickMs: 0, buckets: 4 })).toThrow(RangeError);
    expect(() => new TimerWheel<Item>({ tickMs: 1, buckets: 0 })).toThrow(RangeError);
  });
});
