import type { Clock, TimerHandle, Timers } from '../base/clock.ts';
import { hasReached } from '../chain/minBlock.ts';
import type { BlockMark } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import { RecentHashes } from './recent.ts';
import { Vantage } from './vantage.ts';

/** Hashes of trusted blocks that are remembered. */
const TRUSTED_HASHES = 4096;
/** Most blocks below a new head that are looked at for hashes to remember. */
const LOOK_BACK = 128;
/** While calls wait, nodes are asked for their heads this often. */
const HASTEN_MS = 150;

/** What a wait at the tip came to. */
export type WaitOutcome = 'reached' | 'expired';

export interface TipParts {
  readonly view: ChainView;
  readonly world: { readonly clock: Clock; readonly timers: Timers };
  /** Asks nodes for their heads ahead of time; limits itself. */
  hasten(): void;
  onWaited(outcome: WaitOutcome): void;
}

interface Waiter {
  readonly holds: () => boolean;
  readonly done: (reached: boolean) => void;
  timer: TimerHandle | null;
}

/** The tip of the trusted chain as requests meet it: the view of this moment, and whoever waits for it to move. */
export class Tip {
  private readonly parts: TipParts;
  private readonly waiters = new Set<Waiter>();
  /** What the chain has been here, branches that reorgs replaced included. */
  private readonly trusted = new RecentHashes(TRUSTED_HASHES);
  private current: Vantage;
  private hastening: TimerHandle | null = null;

  constructor(parts: TipParts) {
    this.parts = parts;
    this.current = new Vantage(parts.view, parts.world.clock.nowMs());
  }

  /** Calls that wait. */
  get waiting(): number {
    return this.waiters.size;
  }

  /** The chain as it was looked at last. */
  get last(): Vantage {
    return this.current;
  }

  /** The chain as a request that comes now sees it. */
  now(): Vantage {
    const { current } = this;
    this.parts.view.refresh();
    if (current.isCurrent()) return current;
    const { view, world } = this.parts;
    if (current.isAtHead()) {
      this.current = new Vantage(view, current.sinceMs);
    } else {
      this.current = new Vantage(view, world.clock.nowMs());
      this.remember();
    }
    return this.current;
  }

  /** Whether this view is as new as what a client has seen. */
  hasReached(seen: BlockMark): boolean {
    this.now();
    return hasReached(this.parts.view, seen, (hash) => this.trusted.has(hash));
  }

  /** The view or the route table is another: whoever waited for that goes on. */
  onMoved(): void {
    this.now();
    for (const waiter of [...this.waiters]) if (waiter.holds()) this.settle(waiter, true);
  }

  /**
   * Waits until something holds, at most `maxMs`; nodes are asked for their heads meanwhile.
   * @param done called once, never from within this call, unless the wait is cancelled
   */
  wait(holds: () => boolean, maxMs: number, done: (reached: boolean) => void): TimerHandle {
    const waiter: Waiter = { holds, done, timer: null };
    this.waiters.add(waiter);
    waiter.timer = this.parts.world.timers.after(maxMs, () => {
      this.now();
      this.settle(waiter, holds());
    });
    this.hasten();
    return { cancel: () => this.drop(waiter) };
  }

  private settle(waiter: Waiter, reached: boolean): void {
    if (!this.waiters.has(waiter)) return;
    this.drop(waiter);
    this.parts.onWaited(reached ? 'reached' : 'expired');
    waiter.done(reached);
  }

  private hasten(): void {
    if (this.hastening !== null || this.waiters.size === 0) return;
    this.parts.hasten();
    this.hastening = this.parts.world.timers.after(HASTEN_MS, () => {
      this.hastening = null;
      this.onMoved();
      this.hasten();
    });
  }

  /** Takes note of the blocks of the branch that are new here. */
  private remember(): void {
    const { view } = this.parts;
    const top = this.current.number;
    for (let number = top; number > top - LOOK_BACK; number--) {
      const hash = view.hashAt(number);
      if (hash === '' || this.trusted.has(hash)) return;
      this.trusted.add(hash);
    }
  }

  private drop(waiter: Waiter): void {
    this.waiters.delete(waiter);
    waiter.timer?.cancel();
  }
}
