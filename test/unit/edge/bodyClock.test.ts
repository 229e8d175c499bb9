import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BodyClock } from '../../../src/edge/bodyClock.ts';
import type { Waiting } from '../../../src/edge/bodyClock.ts';

describe('BodyClock', () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  const waiter = (timedOut: string[], name: string): Waiting => ({
    before: null,
    after: null,
    tick: 0,
    onTimeout: () => timedOut.push(`${name} at ${Date.now() - 1000}`),
  });

  it('calls each waiter once, after the timeout and at most a quarter later', () => {
    vi.setSystemTime(1000);
    const timedOut: string[] = [];
    const clock = new BodyClock(400);
    clock.join(waiter(timedOut, 'a'));
    vi.advanceTimersByTime(130);
    clock.join(waiter(timedOut, 'b'));
    vi.advanceTimersByTime(2000);
    expect(timedOut).toEqual(['a at 500', 'b at 600']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forgets those who leave, wherever they stand, and stops its timer when nobody waits', () => {
    const timedOut: string[] = [];
    const clock = new BodyClock(400);
    const all = ['a', 'b', 'c', 'd'].map((name) => waiter(timedOut, name));
    for (const one of all) clock.join(one);
    for (const i of [1, 0, 3]) clock.leave(all[i] as Waiting);
    clock.leave(all[0] as Waiting);
    vi.advanceTimersByTime(1000);
    expect(timedOut.map((text) => text[0])).toEqual(['c']);
    clock.leave(all[2] as Waiting);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('lets a waiter join again from its own timeout', () => {
    const timedOut: string[] = [];
    const clock = new BodyClock(400);
    const again = waiter(timedOut, 'again');
    const first = { ...waiter(timedOut, 'first'), onTimeout: () => clock.join(again) };
    clock.join(first);
    vi.advanceTimersByTime(1200);
    expect(timedOut).toHaveLength(1);
  });

  it('calls nobody after stop', () => {
    const timedOut: string[] = [];
    const clock = new BodyClock(400);
    clock.join(waiter(timedOut, 'a'));
    clock.stop();
    vi.advanceTimersByTime(2000);
    expect(timedOut).toEqual([]);
  });
});
