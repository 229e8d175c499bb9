import { describe, expect, test } from 'vitest';
import { systemClock, wheelTimers } from '../../../src/gateway/world.ts';

describe('wheelTimers', () => {
  test('a timer that throws is told, and those behind it still run', async () => {
    const faults: unknown[] = [];
    const timers = wheelTimers(systemClock, (error) => faults.push(error));
    const bug = new Error('bug');
    timers.after(0, () => {
      throw bug;
    });
    await new Promise<void>((resolve) => timers.after(1, resolve));
    timers.stop();
    expect(faults).toEqual([bug]);
  });

  test('a cancelled timer does not run', async () => {
    const timers = wheelTimers(systemClock, () => undefined);
    let ran = false;
    const handle = timers.after(0, () => {
      ran = true;
    });
    handle.cancel();
    handle.cancel();
    await new Promise<void>((resolve) => timers.after(1, resolve));
    timers.stop();
    expect(ran).toBe(false);
  });

  test.each([3, 20.5, 130])('one of %i ms does not come early, also where its turn of the event loop began long before', async (delayMs) => {
    const timers = wheelTimers(systemClock, () => undefined);
    const begin = performance.now();
    while (performance.now() < begin + 10);
    const armedMs = systemClock.nowMs();
    await new Promise<void>((resolve) => timers.after(delayMs, resolve));
    expect(systemClock.nowMs() - armedMs).toBeGreaterThanOrEqual(delayMs);
    timers.stop();
  });

  test('none comes after the end', async () => {
    const timers = wheelTimers(systemClock, () => undefined);
    const ran: number[] = [];
    for (const delayMs of [1, 5, 120]) timers.after(delayMs, () => ran.push(delayMs));
    timers.stop();
    const others = wheelTimers(systemClock, () => undefined);
    await new Promise<void>((resolve) => others.after(130, resolve));
    others.stop();
    expect(ran).toEqual([]);
  });
});
