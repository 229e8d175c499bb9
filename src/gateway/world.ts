import { performance } from 'node:perf_hooks';
import type { Clock, TimerHandle, Timers } from '../base/clock.ts';
import { TimerWheel } from '../base/wheel.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../observe/log.ts';
import type { GatewayWorld } from './node.ts';

/** The real clocks of this process. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
  idleMs: () => performance.nodeTiming.idleTime,
};

/** Timers that can be ended all at once. */
export interface StoppableTimers extends Timers {
  stop(): void;
}

/** Resolution of the wheel, and so how late a deadline can be noticed. */
const TICK_MS = 8;
/** A time that is nearer than this has a timer of its own: a hedge that is due in 20 ms would feel the wheel's ticks. */
const NEAR_MS = 100;

/**
 * Timers over one wheel: thousands of deadlines cost one real timer, which rests while none is armed. What is near is told within a ms or two.
 * @param onFault told of what a timer threw: a bug, which must end neither the process nor the timers behind it
 */
export function wheelTimers(clock: Clock, onFault: (error: unknown) => void): StoppableTimers {
  const wheel = new TimerWheel<() => void>({ tickMs: TICK_MS, buckets: 512 });
  let ticking: NodeJS.Timeout | null = null;
  const rest = (): void => {
    if (ticking !== null) clearInterval(ticking);
    ticking = null;
  };
  const guarded = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      onFault(error);
    }
  };
  const tick = (): void => {
    wheel.expire(clock.nowMs(), guarded);
    if (wheel.size === 0) rest();
  };
  /** What is due at once does not wait for a tick. */
  const soon = (run: () => void): TimerHandle => {
    const handle = setImmediate(() => guarded(run));
    return { cancel: () => clearImmediate(handle) };
  };
  const near = new Set<NearTimer>();
  return {
    after(delayMs: number, run: () => void, nowMs = clock.nowMs()): TimerHandle {
      if (delayMs <= 0) return soon(run);
      if (delayMs < NEAR_MS) return new NearTimer(near, { clock, atMs: nowMs + delayMs, run: () => guarded(run) });
      const handle = new WheelHandle(wheel, nowMs + delayMs, run);
      ticking ??= setInterval(tick, TICK_MS);
      return handle;
    },
    stop(): void {
      rest();
      for (const timer of near) timer.cancel();
    },
  };
}

/** One real timer. */
class NearTimer implements TimerHandle {
  private readonly all: Set<NearTimer>;
  private readonly due: { readonly clock: Clock; readonly atMs: number; readonly run: () => void };
  private timer: NodeJS.Timeout;

  /** @param all where it is while it waits */
  constructor(all: Set<NearTimer>, due: NearTimer['due']) {
    this.all = all;
    this.due = due;
    all.add(this);
    this.timer = this.set();
  }

  cancel(): void {
    clearTimeout(this.timer);
    this.all.delete(this);
  }

  private set(): NodeJS.Timeout {
    return setTimeout(this.look, Math.max(1, Math.ceil(this.due.atMs - this.due.clock.nowMs())));
  }

  private readonly look = (): void => {
    // Node counts from the beginning of the turn in which the timer was set
    if (this.due.clock.nowMs() < this.due.atMs) {
      this.timer = this.set();
      return;
    }
    this.all.delete(this);
    this.due.run();
  };
}

/** One deadline; a class, so that each costs one object and no closure. */
class WheelHandle implements TimerHandle {
  private readonly wheel: TimerWheel<() => void>;
  private readonly handle: number;

  constructor(wheel: TimerWheel<() => void>, atMs: number, run: () => void) {
    this.wheel = wheel;
    this.handle = wheel.add(atMs, run);
  }

  cancel(): void {
    this.wheel.cancel(this.handle);
  }
}

/** The process's own randomness. */
const systemRandom: Random = () => Math.random();

/**
 * The real outside.
 * @param log also gets what a timer threw
 */
export function realWorld(log: Logger): GatewayWorld & { readonly timers: StoppableTimers } {
  const timers = wheelTimers(systemClock, (error) => log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a timer failed: this is a bug'));
  return { clock: systemClock, timers, random: systemRandom, log };
}
