import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Dues } from '../../../src/gateway/dues.ts';
import type { Due } from '../../../src/gateway/dues.ts';
import { UnderwaySet } from '../../../src/gateway/underway.ts';
import { ManualWorld } from '../../help/time.ts';

class Item implements Due {
  place = -1;
  dueAtMs = Number.POSITIVE_INFINITY;
  readonly told: number[] = [];
  answer: ((nowMs: number) => void) | null = null;

  onDue(nowMs: number): void {
    this.told.push(nowMs);
    this.answer?.(nowMs);
  }
}

function open() {
  const world = new ManualWorld();
  const items = new UnderwaySet<Item>();
  const dues = new Dues(items, world);
  const add = (delayMs?: number): Item => {
    const item = new Item();
    items.add(item);
    if (delayMs !== undefined) dues.ask(item, world.nowMs + delayMs, world.nowMs);
    return item;
  };
  return { world, items, dues, add };
}

describe('Dues', () => {
  it('tells each at its time, in any order of asking, with one timer', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { minLength: 1, maxLength: 20 }), (delays) => {
      const { world, add } = open();
      const items = delays.map((delayMs) => add(delayMs));
      expect(world.delays).toHaveLength(1);
      world.advance(501);
      for (const [i, item] of items.entries()) {
        expect(item.told).toHaveLength(1);
        expect(item.told[0]).toBeCloseTo(delays[i] as number, 5);
      }
      expect(world.delays).toEqual([]);
    }));
  });

  it('an earlier time comes first, a later one in its place is forgotten', () => {
    const { world, dues, add } = open();
    const item = add(100);
    dues.ask(item, 30, 0);
    world.advance(200);
    expect(item.told).toEqual([30]);
    dues.ask(item, 300, 200);
    dues.ask(item, 400, 200);
    world.advance(300);
    expect(item.told).toEqual([30, 400]);
  });

  it('who has ended, or waits for no time, is not told, and leaves no timer behind', () => {
    const { world, items, add } = open();
    const [ended, content, other] = [add(10), add(10), add(20)];
    items.delete(ended);
    content.dueAtMs = Number.POSITIVE_INFINITY;
    world.advance(30);
    expect([ended.told, content.told, other.told]).toEqual([[], [], [20]]);
    expect(world.delays).toEqual([]);
  });

  it('asking anew while it is told, ending others and beginning others all count', () => {
    const { world, items, dues, add } = open();
    const first = add(10);
    const victim = add(10);
    let late: Item | null = null;
    first.answer = (nowMs) => {
      first.answer = null;
      items.delete(victim);
      victim.dueAtMs = Number.POSITIVE_INFINITY;
      dues.ask(first, nowMs + 5, nowMs);
      late = add(2);
    };
    world.advance(100);
    expect(first.told).toEqual([10, 15]);
    expect(victim.told).toEqual([]);
    expect((late as Item | null)?.told).toEqual([12]);
  });

  it('one that throws keeps nobody else from being told, and its error is told', () => {
    const { world, add } = open();
    add(10).answer = () => {
      throw new Error('a bug');
    };
    const [same, later] = [add(10), add(20)];
    expect(() => world.advance(10)).toThrow('a bug');
    world.advance(20);
    expect([same.told, later.told]).toEqual([[10], [20]]);
  });
});
