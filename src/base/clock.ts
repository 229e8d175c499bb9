/** Milliseconds on a monotonic clock; only differences mean anything. */
export type MonotonicMs = number;

/** The two clocks a process has. Pure folders never hold one: they receive `nowMs`. */
export interface Clock {
  /** Monotonic milliseconds with a fraction, for durations and deadlines. */
  nowMs(): MonotonicMs;
  /** Unix milliseconds, for display, logs and chain timestamps only. */
  wallMs(): number;
  /** Milliseconds that this process has spent waiting for the outside world; absent where that is not known. */
  idleMs?(): number;
}

/** Handle of an armed timer; `cancel` is idempotent. */
export interface TimerHandle {
  cancel(): void;
}

/** Timers as a port, so that shells can be driven by virtual time. */
export interface Timers {
  /** Calls `run` once, `delayMs` from now or later. @param nowMs what the clock has just said, where that is known */
  after(delayMs: number, run: () => void, nowMs?: MonotonicMs): TimerHandle;
}
