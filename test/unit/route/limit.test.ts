import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/route/limit.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { RetryBudget } from '../../../src/route/retryBudget.ts';

describe('TokenBucket', () => {
  it('gives its burst at once and its rate after that', () => {
    const bucket = new TokenBucket({ ratePerS: 10, burst: 3 });
    expect([1, 2, 3, 4].map(() => bucket.tryTake(1, 0))).toEqual([true, true, true, false]);
    expect(bucket.waitMs(1, 0)).toBe(100);
    expect(bucket.tryTake(1, 99)).toBe(false);
    expect(bucket.tryTake(1, 100)).toBe(true);
    expect(bucket.waitMs(3, 1e6)).toBe(0);
  });

  it('lets a call through that is over the burst, and has it paid back', () => {
    const bucket = new TokenBucket({ ratePerS: 1, burst: 2 });
    expect(bucket.tryTake(5, 0)).toBe(true);
    expect(bucket.waitMs(1, 0)).toBe(4000);
  });

  it('never gives more than burst + rate × time, whatever the clock does', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: -50, max: 300 }), fc.integer({ min: 1, max: 4 })), { maxLength: 200 }),
        (steps) => {
          const bucket = new TokenBucket({ ratePerS: 20, burst: 5 });
          // the bucket's time begins with its first use
          const firstMs = steps[0]?.[0] ?? 0;
          let nowMs = 0;
          let lastMs = firstMs;
          let taken = 0;
          for (const [stepMs, units] of steps) {
            nowMs += stepMs;
            lastMs = Math.max(lastMs, nowMs);
            if (bucket.tryTake(units, nowMs)) taken += units;
          }
          expect(taken).toBeLessThanOrEqual(5 + ((lastMs - firstMs) * 20) / 1000 + 1e-6);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('refuses a rate or burst that is not above 0', () => {
    expect(() => new TokenBucket({ ratePerS: 0, burst: 1 })).toThrow(RangeError);
    expect(() => new TokenBucket({ ratePerS: 1, burst: 0 })).toThrow(RangeError);
  });
});

describe('RetryBudget', () => {
  it('is a share of the calls of the last 10 s and a reserve', () => {
    const budget = new RetryBudget({ percent: 20, reservePerS: 1 });
    for (let i = 0; i < 50; i++) budget.onCall(0);
    const granted = Array.from({ length: 30 }, () => budget.trySpend(0)).filter(Boolean).length;
    expect(granted).toBe(20);
    expect([budget.spent, budget.refused]).toEqual([20, 10]);
    expect(budget.left(20_000)).toBe(10);
  });

  it('is not touched by sends that are free', () => {
    const budget = new RetryBudget({ percent: 0, reservePerS: 0.1 });
    for (let i = 0; i < 100; i++) budget.noteFree();
    expect([budget.free, budget.trySpend(0), budget.trySpend(0)]).toEqual([100, true, false]);
  });

  it('never lets more be spent in a window than it says', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(400), fc.boolean()), { minLength: 50, maxLength: 400 }), (steps) => {
        const budget = new RetryBudget({ percent: 25, reservePerS: 0.2 });
        const calls: number[] = [];
        const spent: number[] = [];
        let nowMs = 0;
        for (const [stepMs, isCall] of steps) {
          nowMs += stepMs;
          if (isCall) {
            budget.onCall(nowMs);
            calls.push(nowMs);
          } else if (budget.trySpend(nowMs)) spent.push(nowMs);
          const within = (list: number[], windowMs: number): number =>
            list.filter((atMs) => atMs > nowMs - windowMs).length;
          expect(within(spent, 9000)).toBeLessThanOrEqual(0.25 * within(calls, 20_000) + 2);
        }
      }),
      { numRuns: 30 },
    );
  });
});

describe('LoadBook', () => {
  it('counts what is in flight, also at an upstream that it was not made for', () => {
    const book = new LoadBook(1);
    book.sent(0, 0);
    book.sent(4, 0);
    book.sent(4, 0);
    book.ended(4);
    book.ended(0);
    book.ended(0);
    expect([0, 4, 9].map((index) => book.inFlight(index))).toEqual([0, 1, 0]);
  });

  it('calls a node silent after three sends without a word, since the first of them', () => {
    const book = new LoadBook(1);
    book.sent(0, 100);
    book.sent(0, 150);
    expect(book.silentForMs(0, 400)).toBe(0);
    book.sent(0, 200);
    book.ended(0);
    expect(book.silentForMs(0, 400)).toBe(300);
    book.answered(0);
    expect(book.silentForMs(0, 400)).toBe(0);
    book.sent(0, 500);
    expect(book.silentForMs(0, 900)).toBe(0);
  });
});
