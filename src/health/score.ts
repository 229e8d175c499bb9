/** What a score is made of. */
export interface ScoreFacts {
  /** 0..1; 0 where too few calls were counted. */
  readonly failureRate: number;
  /** Median latency over the peers' median; 1 = like them or unknown. */
  readonly latencyRatio: number;
  /** Blocks behind beyond the tolerance. */
  readonly lagBlocks: number;
  readonly throttled: boolean;
}

const STEPS = 8;

/**
 * Fitness from 0 to 1, as a product: failures count squared ((1 - rate)²), latency from 1.5 times the peers' on, down to
 * a quarter; 10 % off per block behind, down to a half; half while it throttles.
 */
export function rawScore(facts: ScoreFacts): number {
  const failures = (1 - Math.min(1, Math.max(0, facts.failureRate))) ** 2;
  const latency = facts.latencyRatio <= 1.5 ? 1 : Math.max(0.25, 1.5 / facts.latencyRatio);
  const lag = Math.max(0.5, 1 - 0.1 * Math.max(0, facts.lagBlocks));
  return failures * latency * lag * (facts.throttled ? 0.5 : 1);
}

/**
 * The score in eighths, at least one, with a dead band: it moves only when the raw score is three quarters of a step away
 * from the one in use, so that small changes move no keys.
 */
export function quantizeScore(raw: number, current: number): number {
  if (Math.abs(raw - current) < 0.75 / STEPS) return current;
  return Math.min(1, Math.max(1 / STEPS, Math.round(raw * STEPS) / STEPS));
}
