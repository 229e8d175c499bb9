import type { Clock, TimerHandle, Timers } from '../base/clock.ts';

/** What the pulse drives: one chain's judgement. */
export interface Beating {
  /** Lets time pass for the judge, swaps the route table and starts the probes that are due. */
  beat(nowMs: number): void;
}

/**
 * Gives every chain a beat at a fixed interval, and at once when a failed call asks for one.
 * Health never runs on the request path: calls only count.
 */
export class Pulse {
  private readonly intervalMs: number;
  private readonly world: { readonly clock: Clock; readonly timers: Timers };
  private readonly chains = new Set<Beating>();
  private readonly urgent = new Set<Beating>();
  private timer: TimerHandle | null = null;
  private soon: TimerHandle | null = null;

  /** @param intervalMs time between two beats */
  constructor(intervalMs: number, world: { readonly clock: Clock; readonly timers: Timers }) {
    this.intervalMs = intervalMs;
    this.world = world;
  }

  add(chain: Beating): void {
    this.chains.add(chain);
    this.rush(chain);
  }

  remove(chain: Beating): void {
    this.chains.delete(chain);
    this.urgent.delete(chain);
  }

  start(): void {
    if (this.timer === null) this.arm();
  }

  /** A beat for this chain before anything else, but not inside the caller. */
  rush(chain: Beating): void {
    this.urgent.add(chain);
    if (this.soon !== null) return;
    this.soon = this.world.timers.after(0, () => {
      this.soon = null;
      const due = [...this.urgent];
      this.urgent.clear();
      for (const one of due) one.beat(this.world.clock.nowMs());
    });
  }

  stop(): void {
    this.timer?.cancel();
    this.soon?.cancel();
    this.timer = null;
    this.soon = null;
    this.chains.clear();
  }

  private arm(): void {
    this.timer = this.world.timers.after(this.intervalMs, () => {
      this.arm();
      for (const chain of this.chains) chain.beat(this.world.clock.nowMs());
    });
  }
}
