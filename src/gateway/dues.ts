import type { Clock, TimerHandle, Timers } from '../base/clock.ts';
import type { Placed, UnderwaySet } from './underway.ts';

/** Something under way that wants to be told when a time has come. */
export interface Due extends Placed {
  /** When that is; infinite = it waits for no time. Its owner may set it to infinite, else it belongs to `Dues`. */
  dueAtMs: number;
  onDue(nowMs: number): void;
}

/** A time that is so near has come: sums of fractions are off by less. */
const NANOSECOND_MS = 1e-6;

/**
 * One timer for all that is under way. Nearly every call ends long before its time: asking for one costs a comparison, and what has ended
 * meanwhile costs nothing. When the earliest time comes that was asked for, all are looked through.
 */
export class Dues {
  private readonly items: UnderwaySet<Due>;
  private readonly world: { readonly clock: Clock; readonly timers: Timers };
  private timer: TimerHandle | null = null;
  private wakeAtMs = Number.POSITIVE_INFINITY;

  /** @param items whose are looked through: who asks must be in it */
  constructor(items: UnderwaySet<Due>, world: { readonly clock: Clock; readonly timers: Timers }) {
    this.items = items;
    this.world = world;
  }

  /** The item is told at `atMs`, or a little later; what it asked for before is forgotten. */
  ask(item: Due, atMs: number, nowMs: number): void {
    item.dueAtMs = atMs;
    if (atMs < this.wakeAtMs) this.wake(atMs, nowMs);
  }

  private wake(atMs: number, nowMs: number): void {
    this.timer?.cancel();
    this.wakeAtMs = atMs;
    this.timer = this.world.timers.after(Math.max(0, atMs - nowMs), this.look, nowMs);
  }

  private readonly look = (): void => {
    this.timer = null;
    this.wakeAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.world.clock.nowMs();
    let nextMs = Number.POSITIVE_INFINITY;
    let failure: { readonly error: unknown } | null = null;
    for (const item of this.items.snapshot()) {
      if (item.dueAtMs <= nowMs + NANOSECOND_MS) {
        item.dueAtMs = Number.POSITIVE_INFINITY;
        try {
          item.onDue(nowMs);
        } catch (error) {
          failure ??= { error };
        }
      }
      // it may have asked anew, or ended
      if (item.place >= 0) nextMs = Math.min(nextMs, item.dueAtMs);
    }
    if (nextMs < this.wakeAtMs) this.wake(nextMs, nowMs);
    // a bug: told by the timers, once the others have had their turn
    if (failure !== null) throw failure.error;
  };
}
