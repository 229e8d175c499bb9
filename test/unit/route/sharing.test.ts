import { describe, expect, it } from 'vitest';
import { LIGHT_MS, Sharing } from '../../../src/route/sharing.ts';
import type { LightCall, SharingOptions, Took } from '../../../src/route/sharing.ts';

const BALANCE: LightCall = { method: 0, hash: 0 };
const CALL: LightCall = { method: 1, hash: 0 };

/** All of the time was the node's. */
const waited = (ms: number): Took => ({ wallMs: ms, idleMs: ms });

const make = (options: Partial<SharingOptions> = {}): Sharing =>
  new Sharing({ enabled: 'auto', maxCalls: 64, slots: 1, connections: 64, retryAfterMs: 60_000, ...options }, 2);

const times = (count: number, run: () => void): void => {
  for (let i = 0; i < count; i++) run();
};

/** A node whose method has been measured to be light. */
const light = (options: Partial<SharingOptions> = {}): Sharing => {
  const sharing = make(options);
  times(20, () => sharing.onLone(BALANCE, waited(0.02), 0));
  return sharing;
};

/** Answered batches until the limit is at its highest. */
const grow = (sharing: Sharing): void => times(10, () => sharing.onBatch(new Array<LightCall>(sharing.take(10_000)).fill(BALANCE), waited(0.1), 0));

describe('who shares', () => {
  it('a method shares once it was light in twenty calls, and each method for itself', () => {
    const sharing = make();
    times(19, () => sharing.onLone(BALANCE, waited(1), 0));
    expect(sharing.shares(BALANCE, 0)).toBe(false);
    sharing.onLone(BALANCE, waited(1), 0);
    expect(sharing.shares(BALANCE, 0)).toBe(true);
    expect(sharing.shares(CALL, 0)).toBe(false);
  });

  it('more than one slow call in ten makes a method heavy, and quick ones make it light again', () => {
    const sharing = light();
    times(2, () => sharing.onLone(BALANCE, waited(LIGHT_MS + 1), 0));
    expect(sharing.shares(BALANCE, 0)).toBe(true);
    sharing.onLone(BALANCE, waited(LIGHT_MS + 1), 0);
    expect(sharing.shares(BALANCE, 0)).toBe(false);
    times(10, () => sharing.onLone(BALANCE, waited(0.1), 0));
    expect(sharing.shares(BALANCE, 0)).toBe(true);
  });

  it('the way to a distant node is not held against its methods', () => {
    const sharing = make();
    times(20, () => sharing.onLone(BALANCE, waited(80), 0));
    expect(sharing.shares(BALANCE, 0)).toBe(true);
  });

  it('a batch that takes too long for its calls counts against all its methods', () => {
    const sharing = light();
    times(20, () => sharing.onLone(CALL, waited(0.02), 0));
    times(3, () => sharing.onBatch([BALANCE, CALL], waited(500), 0));
    expect(sharing.shares(BALANCE, 0)).toBe(false);
    expect(sharing.shares(CALL, 0)).toBe(false);
  });

  it('false shares nothing, true shares unmeasured methods', () => {
    expect(light({ enabled: false }).shares(BALANCE, 0)).toBe(false);
    expect(make({ enabled: true }).shares(BALANCE, 0)).toBe(true);
  });

  it('nothing is shared where a batch holds one call', () => {
    expect(light({ maxCalls: 1 }).shares(BALANCE, 0)).toBe(false);
  });
});

describe('who holds others up', () => {
  const call = (hash: number): LightCall => ({ method: 0, hash });
  const heldUp = [call(1), call(2), call(3)];

  it('after a batch that took far too long each of its calls goes alone, until it was quick or its time is over', () => {
    const sharing = light();
    grow(sharing);
    expect(heldUp.every((each) => sharing.shares(each, 0))).toBe(true);
    sharing.onBatch(heldUp, waited(500), 0);
    expect(heldUp.some((each) => sharing.shares(each, 0))).toBe(false);
    expect(sharing.shares(call(4), 0)).toBe(true);
    sharing.onLone(call(1), waited(0.1), 10);
    sharing.onLone(call(2), waited(500), 20);
    expect(heldUp.map((each) => sharing.shares(each, 60_001))).toEqual([true, false, true]);
  });

  it('are known in a process that has no time to wait, too', () => {
    const busy = (wallMs: number): Took => ({ wallMs, idleMs: 0 });
    const sharing = light();
    times(100, () => sharing.onBatch([BALANCE, BALANCE], busy(3), 0));
    sharing.onBatch([call(7), call(8)], busy(5), 0);
    expect(sharing.shares(call(7), 0)).toBe(true);
    sharing.onBatch([call(7), call(8)], busy(500), 0);
    sharing.onLone(call(7), busy(500), 0);
    sharing.onLone(call(8), busy(3), 0);
    expect([sharing.shares(call(7), 0), sharing.shares(call(8), 0)]).toEqual([false, true]);
    expect(sharing.slots).toBe(1);
  });

  it('calls whose hash is not known are never held against others', () => {
    const sharing = light();
    sharing.onBatch([BALANCE, BALANCE], waited(500), 0);
    expect(sharing.shares(BALANCE, 0)).toBe(true);
  });
});

describe('how many leave together', () => {
  it('begins with two, and doubles with each full batch that was answered', () => {
    const sharing = light();
    expect(sharing.take(1000)).toBe(2);
    sharing.onBatch([BALANCE, BALANCE], waited(0.1), 0);
    expect(sharing.take(1000)).toBe(4);
    sharing.onBatch([BALANCE, BALANCE, BALANCE], waited(0.1), 0);
    expect(sharing.take(1000)).toBe(4);
    grow(sharing);
    expect(sharing.take(1000)).toBe(64);
  });

  it('spreads those that wait over the slots', () => {
    const sharing = light({ slots: 4 });
    grow(sharing);
    expect(sharing.take(40)).toBe(10);
    expect(sharing.take(3)).toBe(1);
    expect(sharing.take(1)).toBe(1);
  });

  it('a node that takes its time gets as many slots as that asks for, never more than connections', () => {
    const sharing = light();
    expect(sharing.slots).toBe(1);
    times(200, () => sharing.onLone(BALANCE, waited(0.5), 0));
    expect(sharing.slots).toBeGreaterThanOrEqual(9);
    expect(sharing.slots).toBeLessThanOrEqual(10);
    times(200, () => sharing.onLone(BALANCE, waited(4), 0));
    expect(sharing.slots).toBe(64);
  });

  it('one call of half a second among thousands moves the slots by little', () => {
    const sharing = light();
    times(200, () => sharing.onLone(BALANCE, waited(0.1), 0));
    sharing.onBatch([BALANCE, BALANCE], waited(500), 0);
    expect(sharing.slots).toBeLessThan(7);
  });

  it('a process with time to spare has more slots, a busy one none but what the node asks for', () => {
    const sharing = light({ connections: 6 });
    expect(sharing.slots).toBe(1);
    times(20, () => sharing.onIdle(0.7));
    expect(sharing.slots).toBe(3);
    times(20, () => sharing.onIdle(1));
    expect(sharing.slots).toBe(6);
    expect(sharing.take(3)).toBe(2);
    times(20, () => sharing.onIdle(0.4));
    expect(sharing.slots).toBe(1);
  });
});

describe('refusals', () => {
  it('are remembered, twice as long each time, and forgotten after an answer', () => {
    const sharing = light();
    sharing.onRefused(0);
    expect(sharing.shares(BALANCE, 59_999)).toBe(false);
    expect(sharing.shares(BALANCE, 60_000)).toBe(true);
    sharing.onRefused(60_000);
    expect(sharing.shares(BALANCE, 179_999)).toBe(false);
    expect(sharing.shares(BALANCE, 180_000)).toBe(true);
    sharing.onBatch([BALANCE, BALANCE], waited(0.1), 180_000);
    sharing.onRefused(180_000);
    expect(sharing.shares(BALANCE, 240_000)).toBe(true);
  });

  it('never hold longer than sixteen times', () => {
    const sharing = light();
    times(12, () => sharing.onRefused(0));
    expect(sharing.shares(BALANCE, 16 * 60_000)).toBe(true);
  });

  it('start over with two calls, untrusted', () => {
    const sharing = light();
    grow(sharing);
    expect(sharing.trusted).toBe(true);
    sharing.onRefused(0);
    expect(sharing.trusted).toBe(false);
    expect(sharing.take(1000)).toBe(2);
  });

  it('a batch that was too large halves the most, until the memory of it ends', () => {
    const sharing = light();
    grow(sharing);
    sharing.onTooLarge(64, 0);
    grow(sharing);
    expect(sharing.take(1000)).toBe(32);
    sharing.onBatch(new Array<LightCall>(32).fill(BALANCE), waited(0.1), 60_000);
    expect(sharing.take(1000)).toBe(64);
  });

  it('a batch of two that was too large is a refusal', () => {
    const sharing = light();
    sharing.onTooLarge(2, 0);
    expect(sharing.shares(BALANCE, 1)).toBe(false);
  });
});
