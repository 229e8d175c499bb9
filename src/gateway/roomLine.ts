import type { TimerHandle, Timers } from '../base/clock.ts';

/** Most of those that wait that one place is offered to, where the first of them cannot use it. */
const MAX_OFFERS = 4;

export interface RoomParts {
  readonly timers: Timers;
  /** Whether one more call may go to the node. */
  hasPlace(upstreamIndex: number): boolean;
}

interface Waiter {
  readonly retry: () => void;
  readonly timer: TimerHandle;
}

/**
 * Calls for which every node that could take them has as many as it may: when one ends, the first in line is routed again. Who finds
 * that the place is of no use to it waits anew, behind the others.
 */
export class RoomLine {
  private readonly parts: RoomParts;
  private readonly waiting = new Set<Waiter>();

  constructor(parts: RoomParts) {
    this.parts = parts;
  }

  /** @param retry called once, when there is a place somewhere or `maxMs` is over, unless the wait is cancelled */
  wait(maxMs: number, retry: () => void): TimerHandle {
    const waiter: Waiter = {
      retry,
      timer: this.parts.timers.after(maxMs, () => {
        this.waiting.delete(waiter);
        retry();
      }),
    };
    this.waiting.add(waiter);
    return { cancel: () => this.drop(waiter) };
  }

  /** A node has one call less. */
  onEnded(upstreamIndex: number): void {
    // not at once: the call that ended is not done yet, and the next of its batch comes first
    if (this.waiting.size > 0) queueMicrotask(() => this.offer(upstreamIndex));
  }

  private offer(upstreamIndex: number): void {
    for (let i = 0; i < MAX_OFFERS && this.parts.hasPlace(upstreamIndex); i++) {
      const [first] = this.waiting;
      if (first === undefined) return;
      this.drop(first);
      first.retry();
    }
  }

  private drop(waiter: Waiter): void {
    waiter.timer.cancel();
    this.waiting.delete(waiter);
  }
}
