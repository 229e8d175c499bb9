/** A rate with a burst. */
export interface RateOptions {
  /** Units that come back per second, above 0. */
  readonly ratePerS: number;
  /** Most units that can be saved up, above 0. */
  readonly burst: number;
}

/** A token bucket; it starts full. A clock that goes back refills nothing. */
export class TokenBucket {
  private readonly ratePerMs: number;
  private readonly burst: number;
  private tokens: number;
  private atMs = Number.NEGATIVE_INFINITY;

  constructor(options: RateOptions) {
    if (!(options.ratePerS > 0) || !(options.burst > 0))
      throw new RangeError('TokenBucket: ratePerS and burst must be above 0');
    this.ratePerMs = options.ratePerS / 1000;
    this.burst = options.burst;
    this.tokens = options.burst;
  }

  /**
   * Takes `units` if they are there, all or nothing. More than the burst is let through by a full bucket, which then owes
   * the rest: such a call is rare, not impossible.
   */
  tryTake(units: number, nowMs: number): boolean {
    this.refill(nowMs);
    if (this.tokens < Math.min(units, this.burst)) return false;
    this.tokens -= units;
    return true;
  }

  /** Ms until `tryTake(units)` can succeed; 0 = now. */
  waitMs(units: number, nowMs: number): number {
    this.refill(nowMs);
    return Math.max(0, Math.min(units, this.burst) - this.tokens) / this.ratePerMs;
  }

  private refill(nowMs: number): void {
    if (nowMs <= this.atMs) return;
    if (this.atMs !== Number.NEGATIVE_INFINITY)
      this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.atMs) * this.ratePerMs);
    this.atMs = nowMs;
  }
}
