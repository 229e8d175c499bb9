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
});
