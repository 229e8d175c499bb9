import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeadTracker } from '../../../src/chain/heads.ts';
import type { HeadEvent, HeadOptions } from '../../../src/chain/headsOptions.ts';
import { headAt, markAt } from '../../help/heads.ts';

const OPTIONS: HeadOptions = { quorum: 'auto', maxStep: 64, reorgDepth: 128, blockTimeMs: 2000 };

/** Nodes that walked up together to 110, block by block. */
function walked(nodes: number, to = 110) {
  const heads = new HeadTracker(OPTIONS);
  heads.expect(nodes);
  const events: HeadEvent[] = [];
  let now = 0;
  const tick = (ms = 250): number => {
    now += ms;
    events.push(...heads.tick(now));
    return heads.trusted()?.number ?? -1;
  };
  const say = (node: number, number: number, branch = 'main', since = 0): void => heads.onHead(node, headAt(number, branch, since), now);
  for (let n = 100; n <= to; n++) {
    for (let node = 0; node < nodes; node++) say(node, n);
    tick(2000);
  }
  events.length = 0;
  return { heads, events, tick, say };
}
const reorgs = (events: readonly HeadEvent[]) => events.filter((event) => event.kind === 'reorg');

describe('reorg', () => {
  it('that a node followed unseen, in a jump, is found out by asking it for its hash there', () => {
    const { tick, say, heads } = walked(3);
    say(0, 111, 'b', 111);
    for (let n = 111; n <= 116; n++) {
      say(1, n);
      say(2, n);
      tick(2000);
    }
    say(0, 116);
    say(0, 117);
    expect(heads.forkedAt(0)).toBe(111);
    expect(heads.checkNumbers(0)).toContain(111);
    heads.onMark(0, markAt(111));
    expect(heads.forkedAt(0)).toBe(-1);
    // who is there still is not let off
    say(0, 118, 'b', 111);
    heads.onMark(0, markAt(111, 'b', 111));
    expect(heads.forkedAt(0)).toBe(111);
  });

  it('is followed when a majority tells other hashes, with the old ones told', () => {
    const { events, tick, say, heads } = walked(3);
    say(0, 110, 'b', 110);
    expect(heads.forkedAt(0)).toBe(110);
    tick();
    expect(reorgs(events)).toEqual([]);
    say(1, 110, 'b', 110);
    tick();
    expect(reorgs(events)).toEqual([
      { kind: 'reorg', fromNumber: 110, depth: 1, oldHashes: [headAt(110).hash], number: 110, hash: headAt(110, 'b', 110).hash, finalityBroken: false },
    ]);
    expect(heads.forkedAt(2)).toBe(110);
    expect(heads.forkedAt(0)).toBe(-1);
  });

  it('may end lower than it began', () => {
    const { events, tick, say, heads } = walked(3);
    for (const node of [0, 1]) say(node, 107, 'b', 106);
    expect(tick()).toBe(107);
    const [reorg] = reorgs(events);
    expect(reorg).toMatchObject({ depth: 5 });
    expect(reorg?.kind === 'reorg' && reorg.fromNumber).toBeLessThanOrEqual(106);
    expect(reorg?.kind === 'reorg' && reorg.oldHashes).toContain(headAt(106).hash);
    expect(heads.trusted()?.hash).toBe(headAt(107, 'b', 106).hash);
    for (const node of [0, 1]) say(node, 108, 'b', 106);
    expect(tick()).toBe(108);
  });

  it('is found through an asked height when the heads alone do not show it', () => {
    const { events, tick, say, heads } = walked(3);
    for (const node of [0, 1, 2]) say(node, 114, 'b', 108);
    expect(heads.checkNumbers(0)).toContain(110);
    for (const node of [0, 1]) heads.onMark(node, markAt(110, 'b', 108));
    tick();
    expect(reorgs(events)).toHaveLength(1);
    expect(heads.trusted()?.number).toBe(114);
    expect(heads.hashAt(110)).toBe(headAt(110, 'b', 108).hash);
  });

  it('with one node is its word', () => {
    const { tick, say, heads } = walked(1);
    say(0, 105, 'b', 104);
    expect(tick()).toBe(105);
    expect(heads.trusted()?.hash).toBe(headAt(105, 'b', 104).hash);
  });

  it('with two nodes needs both, unless one sleeps', () => {
    const { events, tick, say } = walked(2);
    say(0, 111, 'b', 109);
    say(1, 111);
    tick();
    say(0, 112, 'b', 109);
    say(1, 112);
    expect(tick(2000)).toBe(112);
    expect(reorgs(events)).toEqual([]);
    for (let n = 113; n < 118; n++) {
      say(0, n, 'b', 109);
      say(1, 112);
      tick(2000);
    }
    expect(reorgs(events)).toHaveLength(1);
  });
});

describe('rollback', () => {
  it('is believed when a majority went back and stayed there', () => {
    const { events, tick, say } = walked(3);
    for (const node of [0, 1, 2]) say(node, 103);
    expect(tick(2000)).toBe(110);
    expect(tick(3500)).toBe(103);
    expect(reorgs(events)).toMatchObject([{ fromNumber: 104, depth: 7, number: 103 }]);
  });

  it('is no proof when one node jitters back', () => {
    const { events, tick, say } = walked(3);
    for (let i = 0; i < 10; i++) {
      say(0, 103);
      expect(tick(2000)).toBe(110);
    }
    expect(reorgs(events)).toEqual([]);
  });

  it('below a finalized block says that finality broke and takes it back', () => {
    const { heads, events, tick, say } = walked(3);
    for (const node of [0, 1, 2]) heads.onFinalized(node, markAt(108));
    tick();
    expect(heads.finalized()?.number).toBe(108);
    for (const node of [0, 1, 2]) say(node, 103);
    tick(6000);
    expect(reorgs(events)).toMatchObject([{ finalityBroken: true }]);
    expect(heads.finalized()?.number).toBe(103);
  });
});

describe('a reorg of which only the upper end is seen', () => {
  const seen = (finalBranch: 'b' | 'main') => {
    const walk = walked(3);
    const { heads, tick, say } = walk;
    for (const node of [0, 1, 2]) heads.onFinalized(node, markAt(106));
    tick();
    for (const node of [0, 1, 2]) say(node, 111, 'b', 103);
    tick();
    const told = (): void => {
      for (const node of [0, 1, 2]) heads.onMark(node, markAt(106, finalBranch, 103));
      tick();
    };
    return { ...walk, told };
  };

  it('makes nodes be asked for the finalized block, and breaks finality when they have another one', () => {
    const { heads, events, tick, told } = seen('b');
    expect(reorgs(events)).toMatchObject([{ fromNumber: 107, finalityBroken: false }]);
    expect([0, 1, 2].map((node) => heads.checkNumbers(node).includes(106))).toEqual([true, true, true]);
    // what they call final now is not taken meanwhile
    for (const node of [0, 1, 2]) heads.onFinalized(node, markAt(107, 'b', 103));
    tick();
    expect(heads.finalized()).toEqual(markAt(106));
    told();
    expect(reorgs(events).slice(1)).toMatchObject([{ fromNumber: 0, depth: 6, number: 111, finalityBroken: true }]);
    expect(heads.hashAt(106)).toBe(markAt(106, 'b', 103).hash);
    expect(heads.finalized()).toEqual(markAt(107, 'b', 103));
    expect(heads.checkNumbers(0)).not.toContain(106);
  });

  it('breaks nothing when they still have it, or when one alone says otherwise', () => {
    const { heads, events, told, tick } = seen('main');
    heads.onFinalized(0, markAt(106, 'b', 103));
    tick();
    told();
    expect(reorgs(events)).toHaveLength(1);
    expect(heads.finalized()).toEqual(markAt(106));
    expect(heads.checkNumbers(1)).not.toContain(106);
  });

  it('keeps finality waiting for a while at most when they tell nothing', () => {
    const { heads, events, tick, say } = seen('b');
    for (const node of [0, 1, 2]) heads.onFinalized(node, markAt(108, 'b', 103));
    tick(19_000);
    expect(heads.finalized()).toEqual(markAt(106));
    for (const node of [0, 1, 2]) say(node, 112, 'b', 103);
    tick(1000);
    expect(heads.finalized()).toEqual(markAt(108, 'b', 103));
    expect(reorgs(events)).toHaveLength(1);
  });
});

describe('finalized', () => {
  it('is what a majority has finalized, and never falls by a lower word', () => {
    const { heads, tick } = walked(3);
    heads.onFinalized(0, markAt(105));
    heads.onFinalized(1, markAt(104));
    heads.onFinalized(2, markAt(90));
    tick();
    expect(heads.finalized()).toEqual(markAt(104));
    for (const node of [0, 1, 2]) heads.onFinalized(node, markAt(100));
    tick();
    expect(heads.finalized()).toEqual(markAt(104));
  });

  it('is not moved by a node that finalizes another hash or a height nobody has', () => {
    const { heads, tick } = walked(3);
    heads.onFinalized(0, markAt(109, 'fake'));
    heads.onFinalized(1, markAt(103));
    heads.onFinalized(2, markAt(103));
    tick();
    expect(heads.finalized()).toEqual(markAt(103));
    heads.onFinalized(0, markAt(5000));
    tick();
    expect(heads.finalized()).toEqual(markAt(103));
  });
});

describe('halt', () => {
  it('is told once and ends with the next block', () => {
    const { events, tick, say, heads } = walked(3);
    tick(31_000);
    tick(31_000);
    expect(events.filter((event) => event.kind === 'halted')).toHaveLength(1);
    expect(heads.halted).toBe(true);
    for (const node of [0, 1, 2]) say(node, 111);
    tick();
    expect(events.map((event) => event.kind)).toContain('resumed');
  });
});

describe('one liar among n >= 3', () => {
  const lie = fc.record({ number: fc.oneof(fc.integer({ min: 0, max: 300 }), fc.constant(1_000_000)), branch: fc.constantFrom('main', 'fake'), since: fc.integer({ min: 80, max: 200 }) });
  const step = fc.record({ up: fc.integer({ min: 0, max: 3 }), late: fc.integer({ min: 0, max: 2 }), ms: fc.integer({ min: 100, max: 3000 }), lies: fc.array(lie, { maxLength: 2 }) });

  it('never moves the head above the honest, off their branch, back, or keeps it from following them', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5 }), fc.array(step, { minLength: 5, maxLength: 40 }), (honest, steps) => {
        const heads = new HeadTracker(OPTIONS);
        heads.expect(honest + 1);
        let now = 0;
        let top = 100;
        let before = -1;
        for (const { up, late, ms, lies } of steps) {
          now += ms;
          top += up;
          for (const { number, branch, since } of lies) heads.onHead(honest, headAt(number, branch, since), now);
          for (let node = 0; node < honest; node++) heads.onHead(node, headAt(Math.max(100, node === 0 ? top - late : top)), now);
          const events = heads.tick(now);
          const trusted = heads.trusted();
          expect(events.filter((event) => event.kind === 'reorg')).toEqual([]);
          if (trusted === null) continue;
          expect(trusted.hash).toBe(headAt(trusted.number).hash);
          expect(trusted.number).toBeLessThanOrEqual(top);
          expect(trusted.number).toBeGreaterThanOrEqual(before);
          before = trusted.number;
        }
        for (let i = 0; i < 4; i++) {
          now += 2000;
          for (let node = 0; node < honest; node++) heads.onHead(node, headAt(top), now);
          heads.tick(now);
        }
        expect(heads.trusted()?.number).toBe(top);
        for (let node = 0; node < honest; node++) expect(heads.forkedAt(node)).toBe(-1);
      }),
      { numRuns: 300 },
    );
  });
});
