/** A rate with a burst. */
export interface RateOptions {
  /** Units that come back per second, above 0. */
  readonly ratePerS: number;
  /** Most units that can be saved up, above 0. */
  readonly burst: number;
}

/** A token bucket; it starts full. A clock that goes back refills nothing. */
export class TokenBucket {
  private ratePerMs = 0;
  private burst = 0;
  private tokens: number;
  private atMs = Number.NEGATIVE_INFINITY;

  constructor(options: RateOptions) {
    this.set(options);
    this.tokens = options.burst;
  }

  /**
   * Takes `units` if they are there, all or nothing. More than the burst is let through by a full bucket, which then owes
   * the rest: such a call is rare, not impossible.
   */
  tryTake(units: number, nowMs: number): boolean {
    if (this.waitMs(units, nowMs) > 0) return false;
    this.tokens -= units;
    return true;
  }

  /** Takes `units` whether they are there or not; what is not there is owed. */
  take(units: number, nowMs: number): void {
    this.refill(nowMs);
    this.tokens -= units;
  }

  /** Puts back what was taken for nothing. */
  giveBack(units: number): void {
    this.tokens = Math.min(this.burst, this.tokens + units);
  }

  /** Whether more than a whole burst is owed. */
  isDeep(nowMs: number): boolean {
    this.refill(nowMs);
    return this.tokens < -this.burst;
  }

  /** Ms until `tryTake(units)` can succeed; 0 = now. */
  waitMs(units: number, nowMs: number): number {
    this.refill(nowMs);
    return Math.max(0, Math.min(units, this.burst) - this.tokens) / this.ratePerMs;
  }

  /** Another rate and burst from now on; what was saved up beyond the burst is lost. */
  change(options: RateOptions, nowMs: number): void {
    this.refill(nowMs);
    this.set(options);
    this.tokens = Math.min(this.burst, this.tokens);
  }

  private set({ ratePerS, burst }: RateOptions): void {
    if (!(ratePerS > 0) || !(burst > 0)) throw new RangeError('TokenBucket: ratePerS and burst must be above 0');
    this.ratePerMs = ratePerS / 1000;
    this.burst = burst;
  }

  private refill(nowMs: number): void {
    if (nowMs <= this.atMs) return;
    if (this.atMs !== Number.NEGATIVE_INFINITY)
      this.tokens = Math.min(this.burst, this.tokens + (nowMs - this.atMs) * this.ratePerMs);
    this.atMs = nowMs;
  }
}
