import type { TimerHandle } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { ChainRuntime } from './chain.ts';
import type { ServeContext } from './context.ts';

/** What the first choice of a call comes to by the budgets of its nodes. */
type BudgetVerdict =
  | { readonly kind: 'send' }
  /** Paid for: to be routed again then. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Nobody may be asked within the time that a call waits. */
  | { readonly kind: 'refuse'; readonly waitMs: number };

const SEND: BudgetVerdict = { kind: 'send' };

/** The call that waits. */
export interface Budgeted {
  readonly chain: ChainRuntime;
  readonly server: ServeContext;
  readonly spec: MethodSpec;
  readonly live: boolean;
  readonly startedMs: number;
  /** Looks at the chain and goes on from there. */
  approach(): void;
  refuse(fault: Fault): void;
}

/**
 * The place of one call in the line for the budget of its nodes. It pays when it joins, so those that come later queue
 * behind it.
 */
export class BudgetWait {
  private readonly run: Budgeted;
  private readonly untilMs: number;
  private timer: TimerHandle | null = null;
  /** Node that is paid for; -1 = none. */
  private paid = -1;

  constructor(run: Budgeted) {
    const { deadlineMs, budgetWaitMs } = run.chain.config.routing;
    this.run = run;
    this.untilMs = Math.min(run.server.parts.world.clock.nowMs() + budgetWaitMs, run.startedMs + deadlineMs);
  }

  /** It has paid, and its time has not come. */
  get isWaiting(): boolean {
    return this.paid >= 0;
  }

  /** For ranked candidates none of which has budget left: waits, refuses, or false where the call goes out all the same. */
  holds(candidates: Int32Array, count: number, nowMs: number): boolean {
    const { run } = this;
    const verdict = this.decide(candidates, count, nowMs);
    if (verdict.kind === 'send') return false;
    if (verdict.kind === 'refuse') {
      run.refuse(new Fault('overBudget', '', null, Math.ceil(verdict.waitMs / 1000)));
      return true;
    }
    const { clock, timers } = run.server.parts.world;
    this.timer = timers.after(verdict.waitMs, () => {
      if (!run.live) return;
      const { budgets } = run.chain.book;
      budgets.pay(this.leave(clock.nowMs()));
      run.approach();
      budgets.pay(-1);
    });
    return true;
  }

  private decide(candidates: Int32Array, count: number, nowMs: number): BudgetVerdict {
    const { budgets } = this.run.chain.book;
    const { weight } = this.run.spec;
    let soonest = -1;
    let waitMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const index = candidates[i] as number;
      const ms = budgets.waitMs(index, weight, nowMs);
      if (ms >= waitMs) continue;
      waitMs = ms;
      soonest = index;
    }
    if (nowMs + waitMs <= this.untilMs) {
      budgets.charge(soonest, weight, nowMs);
      this.paid = soonest;
      this.run.chain.metrics.onBudgetWait();
      return { kind: 'wait', waitMs };
    }
    // what only 429s taught forbids nothing
    for (let i = 0; i < count; i++) if (!budgets.isSpent(candidates[i] as number, weight, nowMs)) return SEND;
    return { kind: 'refuse', waitMs };
  }

  /** The time has come, or the call has ended: gives back what was paid. @returns the node, which has room for this call alone */
  leave(nowMs: number): number {
    const { paid } = this;
    this.timer?.cancel();
    this.timer = null;
    if (paid >= 0) this.run.chain.book.budgets.refund(paid, this.run.spec.weight, nowMs);
    this.paid = -1;
    return paid;
  }
}
