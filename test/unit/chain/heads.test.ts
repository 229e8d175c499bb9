import { describe, expect, it } from 'vitest';
import { HeadTracker } from '../../../src/chain/heads.ts';
import type { HeadEvent, HeadOptions } from '../../../src/chain/headsOptions.ts';
import { headAt, markAt } from '../../help/heads.ts';

const OPTIONS: HeadOptions = { quorum: 'auto', maxStep: 64, reorgDepth: 128, blockTimeMs: 2000 };
const LIE = 1_000_000;

/** A tracker with a clock; `say` lets nodes tell heads, `tick` lets time pass. */
function world(nodes: number, options: Partial<HeadOptions> = {}) {
  const heads = new HeadTracker({ ...OPTIONS, ...options });
  heads.expect(nodes);
  const events: HeadEvent[] = [];
  let now = 0;
  return {
    heads,
    events,
    say(...numbers: (number | null)[]): void {
      for (const [i, n] of numbers.entries()) if (n !== null) heads.onHead(i, headAt(n), now);
    },
    branch: (node: number, number: number, name: string, since: number): void => heads.onHead(node, headAt(number, name, since), now),
    tick(ms = 250): number {
      now += ms;
      events.push(...heads.tick(now));
      return heads.trusted()?.number ?? -1;
    },
    kinds: (): string[] => events.map((event) => event.kind),
  };
}

describe('trusted head, three and more nodes', () => {
  it('is the highest block that a majority has', () => {
    const { say, tick } = world(3);
    say(100, 100, 100);
    expect(tick()).toBe(100);
    say(101, 100, 100);
    expect(tick()).toBe(100);
    say(101, 101, 100);
    expect(tick()).toBe(101);
    say(103, 102, 100);
    expect(tick()).toBe(102);
  });

  it('is not pushed up by a node 1,000,000 ahead, however long it insists', () => {
    const { say, tick } = world(3);
    say(100, 100, 100);
    tick();
    for (let n = 101; n < 140; n++) {
      say(LIE + n, n, n);
      expect(tick(2000)).toBe(n);
    }
  });

  it('starts right when the liar answers first', () => {
    const { say, tick } = world(3);
    say(LIE, null, null);
    expect(tick()).toBe(-1);
    say(LIE, 100, null);
    expect(tick()).toBe(-1);
    say(LIE, 100, 100);
    expect(tick()).toBe(100);
  });

  it('is not held back by a node that stands still or invents low heads', () => {
    const { say, tick } = world(3);
    say(100, 100, 100);
    tick();
    for (let n = 101; n < 120; n++) {
      say(n % 2, n, n);
      expect(tick(2000)).toBe(n);
    }
  });

  it('does not take a hash from one node, even where the others skipped the height', () => {
    const { say, tick, branch, heads } = world(3);
    say(100, 100, 100);
    tick();
    say(104, 103, null);
    branch(2, 102, 'fake', 101);
    tick();
    expect(heads.trusted()?.hash).toBe(headAt(103).hash);
    branch(2, 104, 'fake', 101);
    say(108, 106, null);
    tick();
    expect(heads.hashAt(104)).not.toBe(headAt(104, 'fake', 101).hash);
    expect(heads.forkedAt(2)).toBeGreaterThanOrEqual(0);
    expect(heads.forkedAt(0)).toBe(-1);
  });

  it('meets on an asked height where polls of a fast chain never meet', () => {
    const { say, tick, heads } = world(3);
    say(100, 100, 100);
    tick();
    say(112, 109, 106);
    expect(tick()).toBe(100);
    expect(heads.checkNumbers(0)).toContain(109);
    heads.onMark(0, markAt(109));
    expect(tick()).toBe(109);
  });

  it('goes on with four nodes when two of them sleep', () => {
    const { say, tick } = world(4);
    say(100, 100, 100, 100);
    tick();
    for (let n = 101; n < 110; n++) {
      say(n, n, 100, 100);
      tick(2000);
    }
    expect(tick()).toBe(109);
  });
});

describe('trusted head, liars who agree', () => {
  it('is not taken by two of seven while a slow chain lets the others sleep', () => {
    const { say, tick, heads } = world(7, { blockTimeMs: 0 });
    say(100, 100, 100, 100, 100, 100, 100);
    tick();
    for (let i = 0; i < 30; i++) {
      say(LIE + i, LIE + i, 100, 100, 100, 100, 100);
      expect(tick(1000)).toBe(100);
    }
    for (let i = 1; i < 30; i++) {
      heads.onHead(0, headAt(100 + i, 'fake', 101), 31_000 + i);
      heads.onHead(1, headAt(100 + i, 'fake', 101), 31_000 + i);
      expect(tick(1000)).toBe(100);
    }
  });
});

describe('trusted head, one and two nodes', () => {
  it('with one node is its word', () => {
    const { say, tick } = world(1);
    say(100);
    expect(tick()).toBe(100);
    say(150);
    expect(tick()).toBe(150);
  });

  it('with one node believes a jump over the velocity limit only when it lasts', () => {
    const { say, tick } = world(1);
    say(100);
    tick();
    say(100 + 500);
    expect(tick()).toBe(100);
    for (let i = 0; i < 11; i++) {
      say(600 + i);
      expect(tick(2000)).toBe(100);
    }
    for (let i = 11; i < 20; i++) {
      say(600 + i);
      tick(2000);
    }
    expect(tick(2000)).toBe(619);
  });

  it('with two nodes is the lower one', () => {
    const { say, tick } = world(2);
    say(100, 100);
    tick();
    say(103, 101);
    expect(tick()).toBe(101);
  });

  it('with two nodes is not held back by one that stands still', () => {
    const { say, tick } = world(2);
    say(100, 100);
    tick();
    const seen: number[] = [];
    for (let n = 101; n < 110; n++) {
      say(n, 100);
      seen.push(tick(2000));
    }
    expect(seen.slice(0, 2)).toEqual([100, 100]);
    expect(seen.at(-1)).toBe(109);
  });

  it('with two nodes is not pushed by one 1,000,000 ahead, while the other moves or sleeps', () => {
    const { say, tick } = world(2);
    say(100, 100);
    tick();
    for (let n = 101; n < 110; n++) {
      say(LIE + n, n);
      expect(tick(2000)).toBe(n);
    }
    for (let n = 110; n < 140; n++) {
      say(LIE + n, 109);
      expect(tick(2000)).toBe(109);
    }
  });

  it('starts with two where one is an empty node that does not move', () => {
    const { say, tick } = world(2);
    for (let n = 0; n < 12; n++) {
      say(LIE + n, 0);
      tick(2000);
    }
    expect(tick()).toBe(LIE + 11);
  });

  it('is put right by a quorum when one node alone had set it', () => {
    const { say, tick, events } = world(1);
    say(LIE);
    tick();
    tick(20_000);
    for (let n = 100; n < 110; n++) {
      say(LIE, n, n);
      tick(2000);
    }
    expect(tick()).toBe(109);
    expect(events.some((event) => event.kind === 'reorg')).toBe(true);
  });

  it('is not pulled down by two that catch up to the one that stayed', () => {
    const { say, tick } = world(1);
    say(1000);
    tick();
    for (let i = 1; i < 40; i++) {
      say(1000 + i, 100 + 23 * i, 100 + 23 * i);
      expect(tick(2000)).toBeGreaterThanOrEqual(1000);
    }
  });
});

describe('trusted head: velocity', () => {
  it('believes a majority that caught up after an outage, after it has lasted', () => {
    const { say, tick } = world(3);
    say(100, 100, 100);
    tick();
    say(1000, 1000, 1000);
    expect(tick()).toBe(100);
    tick(2500);
    expect(tick(2500)).toBe(1000);
  });

  it('lets a step pass that the time explains', () => {
    const { say, tick } = world(3);
    say(100, 100, 100);
    tick();
    tick(3_600_000);
    say(1900, 1900, 1900);
    expect(tick()).toBe(1900);
  });
});
