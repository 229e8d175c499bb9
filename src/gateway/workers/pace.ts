import type { Random } from '../../base/random.ts';

/** Bounds of the time between the end of a worker and its next start, ms. */
export interface PaceOptions {
  readonly baseMs: number;
  readonly maxMs: number;
}

/**
 * A worker that served this many times the shortest wait has earned a quick start: one that is killed each second is
 * there most of the time, one that dies at its first call is not tried again and again.
 */
const EARNED = 5;

/** When a worker that died starts again: at once after a long life, later and later after short ones. */
export class RestartPace {
  private readonly options: PaceOptions;
  private readonly random: Random;
  private delayMs = 0;

  constructor(options: PaceOptions, random: Random) {
    this.options = options;
    this.random = random;
  }

  /**
   * Ms to wait, jittered by up to half so that several do not start together.
   * @param servedMs how long it served; 0 = it never did
   */
  next(servedMs: number): number {
    const { baseMs, maxMs } = this.options;
    const earned = servedMs >= EARNED * baseMs;
    this.delayMs = earned || this.delayMs === 0 ? baseMs : Math.min(maxMs, this.delayMs * 2);
    return this.delayMs * (0.5 + this.random() / 2);
  }
}
