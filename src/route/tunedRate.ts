import { CountWindow } from '../base/window.ts';
import { TokenBucket } from './limit.ts';

/** One limit of one node. */
export interface TunedRateOptions {
  /** Units per second that the config allows; 0 = it says nothing. */
  readonly maxPerS: number;
  /** Most units that can be saved up; 0 = those of a tenth of a second, at least 1. */
  readonly burst: number;
  /** Whether the node's 429s count. */
  readonly tune: boolean;
}

/** Of the rate, after a 429. */
const CUT = 0.8;
/** Of the rate it was cut to, or of the configured one, that comes back each second without a 429. */
const GROWTH_PER_S = 0.01;
/** The 429s of calls that were under way at a cut belong to it. */
const SETTLE_MS = 1000;
const WINDOW_MS = 1000;
const SENT = 0;
const REFUSED = 1;
/** Least rate: of the configured one, or units per second where there is none. */
const LEAST_SHARE = 0.05;
const LEAST_PER_S = 1;
/** A rate that only 429s taught is forgotten after so long without one. */
const FORGET_MS = 300_000;
/** Of the seconds, that an unused rate saves up. */
const SAVED_S = 0.1;

/**
 * How many units per second one node gets: what the config allows, which is kept, and less after the node said 429, which
 * is kept while another node can take the call. Additive increase, multiplicative decrease, as TCP has it (Chiu & Jain,
 * "Analysis of the increase and decrease algorithms for congestion avoidance", 1989).
 */
export class TunedRate {
  private readonly options: TunedRateOptions;
  private readonly window = new CountWindow(WINDOW_MS, 2);
  /** What the config allows. */
  private readonly hard: TokenBucket | null;
  /** What the node's 429s allow; null = as many as the config does. */
  private soft: TokenBucket | null = null;
  private softPerS = 0;
  private growPerS = 0;
  private grownAtMs = 0;
  private cutAtMs = Number.NEGATIVE_INFINITY;
  private cutFrom = Number.POSITIVE_INFINITY;
  /** What the node had let pass in the second before the cut. */
  private passed = 0;

  constructor(options: TunedRateOptions) {
    this.options = options;
    const { maxPerS, burst } = options;
    this.hard = maxPerS > 0 ? new TokenBucket({ ratePerS: maxPerS, burst: burst > 0 ? burst : savedAt(maxPerS) }) : null;
  }

  /** Units per second that it gets now; 0 = not limited. */
  perS(nowMs: number): number {
    this.grow(nowMs);
    return this.soft === null ? this.options.maxPerS : this.softPerS;
  }

  /** Ms until `units` are there; 0 = now. */
  waitMs(units: number, nowMs: number): number {
    this.grow(nowMs);
    const hardMs = this.hard === null ? 0 : this.hard.waitMs(units, nowMs);
    return this.soft === null ? hardMs : Math.max(hardMs, this.soft.waitMs(units, nowMs));
  }

  /** Whether the config forbids `units` now. */
  isSpent(units: number, nowMs: number): boolean {
    return this.hard !== null && this.hard.waitMs(units, nowMs) > 0;
  }

  /** Whether so much is owed that not even a retry may go there. */
  isDeep(nowMs: number): boolean {
    return this.hard?.isDeep(nowMs) === true;
  }

  charge(units: number, nowMs: number): void {
    if (this.options.tune) this.window.add(SENT, nowMs, units);
    this.hard?.take(units, nowMs);
    this.soft?.take(units, nowMs);
  }

  /** A charge was for nothing. */
  refund(units: number, nowMs: number): void {
    if (this.options.tune) this.window.add(SENT, nowMs, -units);
    this.hard?.giveBack(units);
    this.soft?.giveBack(units);
  }

  /** The node said 429 to a call of so many units. */
  onThrottled(units: number, nowMs: number): void {
    const { maxPerS, tune } = this.options;
    if (!tune) return;
    this.window.add(REFUSED, nowMs, units);
    if (nowMs - this.cutAtMs >= SETTLE_MS) {
      this.cutFrom = this.perS(nowMs);
      this.passed = this.window.total(SENT, nowMs) - this.window.total(REFUSED, nowMs);
      this.cutAtMs = nowMs;
    } else {
      this.passed -= units;
    }
    // without any rate so far, what the node let pass is the best guess
    const from = this.cutFrom > 0 ? this.cutFrom : this.passed;
    this.limit(Math.max(maxPerS > 0 ? LEAST_SHARE * maxPerS : LEAST_PER_S, CUT * from), nowMs);
    this.growPerS = GROWTH_PER_S * (maxPerS > 0 ? maxPerS : this.softPerS);
    this.grownAtMs = nowMs;
  }

  private grow(nowMs: number): void {
    if (this.soft === null || nowMs - this.grownAtMs < SETTLE_MS) return;
    const { maxPerS } = this.options;
    const next = this.softPerS + (this.growPerS * (nowMs - this.grownAtMs)) / 1000;
    this.grownAtMs = nowMs;
    const isOver = maxPerS > 0 ? next >= maxPerS : nowMs - this.cutAtMs >= FORGET_MS;
    if (isOver) this.soft = null;
    else this.limit(next, nowMs);
  }

  private limit(perS: number, nowMs: number): void {
    this.softPerS = perS;
    const rate = { ratePerS: perS, burst: savedAt(perS) };
    if (this.soft === null) {
      this.soft = new TokenBucket(rate);
      this.soft.take(rate.burst, nowMs);
    } else {
      this.soft.change(rate, nowMs);
    }
  }
}

const savedAt = (perS: number): number => Math.max(1, perS * SAVED_S);
