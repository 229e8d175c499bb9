import type { MethodSpec } from '../chain/method.ts';
import type { ChainRuntime } from './chain.ts';

/** What the first choice of a call comes to by the budgets of its nodes. */
export type BudgetVerdict =
  | { readonly kind: 'send' }
  /** Paid for: to be routed again then. */
  | { readonly kind: 'wait'; readonly waitMs: number }
  /** Nobody may be asked within the time that a call waits. */
  | { readonly kind: 'refuse'; readonly waitMs: number };

const SEND: BudgetVerdict = { kind: 'send' };

/**
 * The place of one call in the line for the budget of its nodes. It pays when it joins, so those that come later queue
 * behind it.
 */
export class BudgetWait {
  private readonly chain: ChainRuntime;
  private readonly spec: MethodSpec;
  private readonly untilMs: number;
  /** Node that is paid for; -1 = none. */
  private paid = -1;

  /** @param untilMs when it has waited enough */
  constructor(chain: ChainRuntime, spec: MethodSpec, untilMs: number) {
    this.chain = chain;
    this.spec = spec;
    this.untilMs = untilMs;
  }

  /** Between `decide` and `leave`. */
  get isWaiting(): boolean {
    return this.paid >= 0;
  }

  /** Decides for ranked candidates none of which has budget left. */
  decide(candidates: Int32Array, count: number, nowMs: number): BudgetVerdict {
    const { budgets } = this.chain.book;
    const { weight } = this.spec;
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
      this.chain.metrics.onBudgetWait();
      return { kind: 'wait', waitMs };
    }
    // what only 429s taught forbids nothing
    for (let i = 0; i < count; i++) if (!budgets.isSpent(candidates[i] as number, weight, nowMs)) return SEND;
    return { kind: 'refuse', waitMs };
  }

  /** The time has come, or the call has ended: gives back what was paid. @returns the node, which has room for this call alone */
  leave(nowMs: number): number {
    const { paid } = this;
    if (paid >= 0) this.chain.book.budgets.refund(paid, this.spec.weight, nowMs);
    this.paid = -1;
    return paid;
  }
}
