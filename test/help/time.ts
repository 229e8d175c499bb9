import type { Clock, TimerHandle, Timers } from '../../src/base/clock.ts';

/** The machine's own time. */
export const realWorld: { readonly clock: Clock; readonly timers: Timers } = {
  clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
  timers: {
    after(delayMs, run): TimerHandle {
      const timer = setTimeout(run, delayMs);
      return { cancel: () => clearTimeout(timer) };
    },
  },
};

interface Armed {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that moves only when told; sockets stay real. */
export class ManualWorld {
  nowMs = 0;
  wallMs = 1_700_000_000_000;
  readonly #armed = new Set<Armed>();
  readonly clock: Clock = { nowMs: () => this.nowMs, wallMs: () => this.wallMs + this.nowMs };
  readonly timers: Timers = {
    after: (delayMs, run) => {
      const armed = { atMs: this.nowMs + delayMs, run };
      this.#armed.add(armed);
      return { cancel: () => void this.#armed.delete(armed) };
    },
  };

  /** Delays of the armed timers from now, shortest first. */
  get delays(): number[] {
    return [...this.#armed].map((armed) => armed.atMs - this.nowMs).sort((a, b) => a - b);
  }

  /** Moves on and runs what falls due, in order. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const due = [...this.#armed].filter((armed) => armed.atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.#armed.delete(due);
      this.nowMs = due.atMs;
      due.run();
    }
    this.nowMs = endMs;
  }
}
