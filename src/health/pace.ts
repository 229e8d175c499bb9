import type { LatencyWindow } from './latency.ts';
import type { PaceOptions } from './options.ts';

/** Fewest calls from which a quantile is believed. */
const MIN_SAMPLES = 20;

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** Keeps the value in use unless the new one is a tenth away: a table that is the same is not rebuilt. */
const settle = (next: number, current: number): number => (Math.abs(next - current) <= 0.1 * current ? current : Math.round(next));

/** Times for attempts at one node, from its own latency; without enough calls the longest ones hold. */
export class NodePace {
  readonly #options: PaceOptions;
  attemptTimeoutMs: number;
  hedgeDelayMs: number;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.attemptTimeoutMs = options.attemptTimeout.maxMs;
    this.hedgeDelayMs = options.hedge.maxMs;
  }

  update(latency: LatencyWindow): void {
    const { attemptTimeout, hedge } = this.#options;
    const known = latency.count >= MIN_SAMPLES;
    const slowMs = known ? latency.quantile(attemptTimeout.quantile) * attemptTimeout.factor : attemptTimeout.maxMs;
    const lateMs = known ? latency.quantile(hedge.quantile) * hedge.factor : hedge.maxMs;
    this.attemptTimeoutMs = settle(clamp(slowMs, attemptTimeout.minMs, attemptTimeout.maxMs), this.attemptTimeoutMs);
    this.hedgeDelayMs = settle(clamp(lateMs, hedge.minMs, hedge.maxMs), this.hedgeDelayMs);
  }
}
