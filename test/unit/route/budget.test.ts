import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { BudgetBook } from '../../../src/route/budgetBook.ts';
import { explainRank } from '../../../src/route/explain.ts';
import { LoadBook } from '../../../src/route/loadBook.ts';
import { Ranker } from '../../../src/route/rank.ts';
import { askOf, entryOf, READ, Stage, specOf, tableOf } from '../../help/route.ts';

const budget = (change: object = {}) => ({ callsPerS: 0, weightPerS: 0, burst: 0, tune: true, ...change });

/** A node that answers so many calls in each second of its clock. */
class Limited {
  taken = 0;
  refused = 0;
  private readonly perS: number;
  private second = -1;
  private inSecond = 0;

  constructor(perS: number) {
    this.perS = perS;
  }

  answers(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.second) this.inSecond = 0;
    this.second = second;
    if (++this.inSecond > this.perS) {
      this.refused++;
      return false;
    }
    this.taken++;
    return true;
  }
}

describe('a node that says 429 over a rate that nobody configured', () => {
  it.each([[20], [50], [300]])('is asked below its %i calls per second soon, while another node takes the rest', (limit) => {
    const book = new LoadBook(2);
    for (const index of [0, 1]) book.budgets.configure(index, budget());
    const ranker = new Ranker(book, 99);
    const table = tableOf([entryOf(0), entryOf(1)]);
    const random = seededRandom(limit);
    const out = new Int32Array(2);
    const node = new Limited(limit);
    const bySecond: { taken: number; refused: number }[] = [];
    const latencyMs = 30;
    let late: number[] = [];
    for (let nowMs = 0; nowMs < 120_000; nowMs += (1000 * -Math.log(1 - random())) / (limit * 4)) {
      for (const at of late) if (at <= nowMs) book.budgets.onThrottled(0, 1, at);
      late = late.filter((at) => at > nowMs);
      ranker.rank(table, READ, askOf({ keyHash: (random() * 2 ** 32) >>> 0, nowMs }), out);
      const index = out[0] as number;
      book.sent(index, nowMs);
      book.ended(index);
      if (index === 0 && !node.answers(nowMs)) late.push(nowMs + latencyMs);
      bySecond[Math.floor(nowMs / 1000)] = { taken: node.taken, refused: node.refused };
    }
    const lateOn = (key: 'taken' | 'refused'): number => (bySecond[119]?.[key] ?? 0) - (bySecond[19]?.[key] ?? 0);
    // of what it could answer in 100 s, most is used, and hardly anything is refused
    expect(lateOn('taken')).toBeGreaterThan(0.75 * limit * 100);
    expect(lateOn('refused')).toBeLessThan(0.02 * limit * 100);
  });
});

describe('a budget that is configured', () => {
  it('is never spent faster than burst + rate × time, whatever the node says', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 10, burst: 5 }));
    let sent = 0;
    for (let nowMs = 0; nowMs <= 10_000; nowMs++) {
      if (!budgets.hasRoom(0, 1, nowMs)) continue;
      budgets.charge(0, 1, nowMs);
      sent++;
    }
    expect(sent).toBe(5 + 100);
  });

  it('is cut by a 429, once for a burst of them, not below its floor, and comes back', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 100 }));
    const perS = (nowMs: number) => Math.round(budgets.facts(0, nowMs).callsPerS);
    for (const nowMs of [1000, 1010, 1900]) budgets.onThrottled(0, 1, nowMs);
    expect(perS(1900)).toBe(80);
    budgets.onThrottled(0, 1, 2000);
    expect(perS(2000)).toBe(64);
    expect(perS(12_000)).toBe(74);
    expect(perS(60_000)).toBe(100);
    for (let i = 0; i < 100; i++) budgets.onThrottled(0, 1, 100_000 + i * 1000);
    expect(perS(199_000)).toBe(5);
  });

  it('counts weight where that is limited', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ weightPerS: 100, burst: 50 }));
    expect(budgets.hasRoom(0, 50, 0)).toBe(true);
    budgets.charge(0, 50, 0);
    expect([budgets.hasRoom(0, 1, 0), budgets.waitMs(0, 25, 0)]).toEqual([false, 250]);
    expect(budgets.facts(0, 0)).toEqual({ callsPerS: 0, weightPerS: 100, passed: 0 });
  });

  it('is divided among processes', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 100 }), 0.25);
    expect(budgets.facts(0, 0).callsPerS).toBe(25);
  });

  it('keeps its state when the same options come again, and takes others', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 10, burst: 1 }));
    budgets.charge(0, 1, 0);
    budgets.configure(0, budget({ callsPerS: 10, burst: 1 }));
    expect(budgets.hasRoom(0, 1, 0)).toBe(false);
    budgets.configure(0, budget({ callsPerS: 20, burst: 1 }));
    expect(budgets.hasRoom(0, 1, 0)).toBe(true);
  });

  it('is not used up for good by probes alone', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 1 }));
    for (let nowMs = 0; nowMs < 60_000; nowMs += 250) budgets.onProbe(0, 3, nowMs);
    expect(budgets.waitMs(0, 1, 60_000)).toBeLessThan(6000);
  });

  it('is told of by a call that waits: what is paid first goes first', () => {
    const budgets = new BudgetBook();
    budgets.configure(0, budget({ callsPerS: 10, burst: 1 }));
    budgets.charge(0, 1, 0);
    expect(budgets.waitMs(0, 1, 0)).toBe(100);
    budgets.charge(0, 1, 0);
    expect(budgets.waitMs(0, 1, 0)).toBe(200);
    budgets.pay(0);
    expect(budgets.hasRoom(0, 1, 0)).toBe(true);
    budgets.pay(-1);
    budgets.refund(0, 1, 0);
    expect(budgets.waitMs(0, 1, 0)).toBe(100);
  });
});

describe('ranking', () => {
  const spentAt = (...indices: readonly number[]): LoadBook => {
    const book = new LoadBook(3);
    for (const index of indices) {
      book.budgets.configure(index, budget({ callsPerS: 1, burst: 1 }));
      book.sent(index, 0);
      book.ended(index);
    }
    return book;
  };
  const order = (book: LoadBook, entries = [entryOf(0), entryOf(1), entryOf(2)], serving?: readonly number[]): number[] => {
    const out = new Int32Array(entries.length);
    const table = tableOf(entries);
    const count = new Ranker(book, 0.25).rank(serving === undefined ? table : { ...table, serving }, READ, askOf(), out);
    return [...out.subarray(0, count)];
  };

  it('puts a node without budget behind the others, and counts that it was passed over', () => {
    const first = order(new LoadBook(3))[0] as number;
    const book = spentAt(first);
    expect(order(book).at(-1)).toBe(first);
    expect(book.budgets.facts(first, 0).passed).toBe(1);
    expect(order(spentAt(0, 1, 2)).length).toBe(3);
  });

  it('goes on to a worse tier when the better one has no budget left, and only then', () => {
    const tiers = [entryOf(0), entryOf(1), entryOf(2, { tier: 1 })];
    expect(order(spentAt(0), tiers, [0, 1])).toEqual([1, 0]);
    expect(order(spentAt(0, 1), tiers, [0, 1])[0]).toBe(2);
    const away = [entryOf(0), entryOf(1), entryOf(2, { tier: 1, state: 'ejected', weight: 0 })];
    expect(order(spentAt(0, 1), away, [0, 1]).sort()).toEqual([0, 1]);
  });

  it('does not send a call to a node that lacks its block because the right one has no budget left', () => {
    const out = new Int32Array(2);
    const table = tableOf([entryOf(0), entryOf(1, { headNumber: 5 })]);
    expect(new Ranker(spentAt(0), 0.25).rank(table, READ, askOf({ requiredBlock: 50 }), out)).toBe(1);
    expect(out[0]).toBe(0);
  });

  it('is explained without being counted', () => {
    const book = spentAt(0);
    const told = explainRank(tableOf([entryOf(0), entryOf(1)]), READ, askOf(), { book, boundedLoad: 0.25 });
    expect(told.map(({ name, exclusions }) => [name, exclusions])).toEqual([['b', []], ['a', ['budget']]]);
    expect(book.budgets.facts(0, 0).passed).toBe(0);
  });
});

describe('an attempt', () => {
  const spentBook = (callsSent: number): LoadBook => {
    const book = new LoadBook(2);
    book.budgets.configure(1, budget({ callsPerS: 1, burst: 2 }));
    for (let i = 0; i < callsSent; i++) book.budgets.charge(1, 1, 0);
    return book;
  };

  it('hedges only where there is budget', () => {
    const stage = new Stage({ entries: [entryOf(0), entryOf(1)], book: spentBook(2) }).start().until(100);
    expect(stage.lines.filter((line) => line.includes('send'))).toEqual(['0 send 0 a 500']);
  });

  it('overdraws the budget of the last node by one burst rather than fail', () => {
    const kept = new Stage({ entries: [entryOf(0), entryOf(1)], book: spentBook(3) }).start().fail(0, 'http');
    expect(kept.lines.at(-1)).toContain('send 1 b');
    const lost = new Stage({ entries: [entryOf(0), entryOf(1)], book: spentBook(5) }).start().fail(0, 'http');
    expect(lost.lines.at(-1)).toContain('fault noUpstream');
  });

  it('charges the weight of its method', () => {
    const book = new LoadBook(1);
    book.budgets.configure(0, budget({ weightPerS: 10, burst: 100 }));
    new Stage({ entries: [entryOf(0)], book, method: specOf({ weight: 80 }) }).start();
    expect([book.budgets.hasRoom(0, 20, 0), book.budgets.hasRoom(0, 21, 0)]).toEqual([true, false]);
  });
});
