import { CountWindow } from '../base/window.ts';

/** Length of the look back. Source: the time to live of a deposit in Finagle's RetryBudget. */
const WINDOW_MS = 10_000;
const CALLS = 0;
const SPENT = 1;

/** How much extra load retries and hedges may make. */
export interface RetryBudgetOptions {
  /** Retries and hedges allowed, in percent of the calls of the last 10 s. */
  readonly percent: number;
  /** Allowed beside the percentage, per second; unused seconds count up to 10 s. */
  readonly reservePerS: number;
}

/**
 * Keeps retries from multiplying an overload: of the last 10 s, at most `percent` of the calls plus the reserve may be sent again.
 * What a node never worked on (nothing was sent, the connection was lost, the node is out) costs the others no more than
 * the node's own share, so it is counted but not charged.
 */
export class RetryBudget {
  /** Sends that were charged, and that were not. */
  spent = 0;
  free = 0;
  /** Sends that were refused. */
  refused = 0;
  private readonly window = new CountWindow(WINDOW_MS, 2);
  private readonly share: number;
  private readonly reserve: number;

  constructor(options: RetryBudgetOptions) {
    this.share = options.percent / 100;
    this.reserve = (options.reservePerS * WINDOW_MS) / 1000;
  }

  /** A call came in. */
  onCall(nowMs: number): void {
    this.window.add(CALLS, nowMs);
  }

  /** Charges one more send; false when there is nothing left. */
  trySpend(nowMs: number): boolean {
    if (this.left(nowMs) < 1) {
      this.refused++;
      return false;
    }
    this.window.add(SPENT, nowMs);
    this.spent++;
    return true;
  }

  /** Notes one more send that is not charged. */
  noteFree(): void {
    this.free++;
  }

  /** Sends that could be charged now; can be fractional or below 0. */
  left(nowMs: number): number {
    return this.share * this.window.total(CALLS, nowMs) + this.reserve - this.window.total(SPENT, nowMs);
  }
}
