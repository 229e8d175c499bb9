/** What a score is made of. */
export interface ScoreFacts {
  /** 0..1; 0 where too few calls were counted. */
  readonly failureRate: number;
  /** Median latency over the peers' median; 1 = like them or unknown. */
  readonly latencyRatio: number;
  /** Blocks behind beyond the tolerance. */
  readonly lagBlocks: number;
  /** Mean time that it tells of blocks after the first node; 0 = unknown. */
  readonly arrivalMs: number;
  /** 0 = unknown. */
  readonly blockTimeMs: number;
  readonly throttled: boolean;
}

const STEPS = 8;
/** Being so late with blocks is nothing: the way to a node in the next region. */
const FREE_ARRIVAL_MS = 50;
/** Nor is this part of the block time. */
const FREE_ARRIVAL_SHARE = 0.1;

/**
 * Fitness from 0 to 1, as a product: failures count squared ((1 - rate)²), latency from 1.5 times the peers' on, down to
 * a quarter; 10 % off per block behind, down to a half; the share of the block time that it is late with new blocks, beyond
 * 50 ms and a tenth of it, down to three quarters; half while it throttles.
 */
export function rawScore(facts: ScoreFacts): number {
  const failures = (1 - Math.min(1, Math.max(0, facts.failureRate))) ** 2;
  const latency = facts.latencyRatio <= 1.5 ? 1 : Math.max(0.25, 1.5 / facts.latencyRatio);
  const lag = Math.max(0.5, 1 - 0.1 * Math.max(0, facts.lagBlocks));
  const { arrivalMs, blockTimeMs } = facts;
  const late = blockTimeMs <= 0 || arrivalMs <= FREE_ARRIVAL_MS ? 0 : arrivalMs / blockTimeMs - FREE_ARRIVAL_SHARE;
  const arrival = Math.max(0.75, 1 - Math.max(0, late));
  return failures * latency * lag * arrival * (facts.throttled ? 0.5 : 1);
}

/**
 * The score in eighths, at least one, with a dead band: it moves only when the raw score is three quarters of a step away
 * from the one in use, so that small changes move no keys.
 */
export function quantizeScore(raw: number, current: number): number {
  if (Math.abs(raw - current) < 0.75 / STEPS) return current;
  return Math.min(1, Math.max(1 / STEPS, Math.round(raw * STEPS) / STEPS));
}
