import type { Clock, TimerHandle, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** The real clocks of this process. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};

/** Real timers; they never keep the process alive by themselves. */
export const systemTimers: Timers = {
  after(delayMs: number, run: () => void): TimerHandle {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
};

/** The process's own randomness. */
export const systemRandom: Random = () => Math.random();
