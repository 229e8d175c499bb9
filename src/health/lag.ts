import type { HealthOptions } from './options.ts';

/** What the trusted chain says at the moment of a judgement. */
export interface TipFacts {
  /** Trusted head; -1 before the first agreement: nobody lags then. */
  readonly trustedNumber: number;
  /** When the trusted head passed the node's head, i.e. reached the node's number + 1. */
  readonly passedAtMs: number;
  /** Time behind that is too long: `lag.maxMs`, or max(2 block times, 5 s). */
  readonly maxMs: number;
}

/**
 * Lag of one node behind the trusted head. It is out when it is more than `maxBlocks` behind, or behind at all for
 * `maxMs`; back in when it is at most max(`returnBlocks`, `tolerance`) behind and in time. A verdict takes two
 * reports of the node that were behind when they came: a head that was asked before the chain moved proves nothing.
 */
export class LagWatch {
  readonly #options: HealthOptions['lag'];
  #number = -1;
  #movedAtMs = 0;
  #behindReports = 0;
  #overReports = 0;
  #lagMs = 0;
  #trusted = -1;
  /** What speaks against the node; null = nothing. */
  verdict: 'lag' | 'stalled' | null = null;

  constructor(options: HealthOptions['lag']) {
    this.#options = options;
  }

  /** The node told its head while the trusted one was at `trustedNumber`. */
  onReport(number: number, trustedNumber: number, nowMs: number): void {
    if (number !== this.#number) this.#movedAtMs = nowMs;
    this.#number = number;
    this.#behindReports = number < trustedNumber ? this.#behindReports + 1 : 0;
    this.#overReports = trustedNumber - number > this.#options.maxBlocks ? this.#overReports + 1 : 0;
  }

  /** Blocks behind the trusted head; 0 when level, ahead, or nothing is known. */
  get blocks(): number {
    return this.#number < 0 || this.#trusted < 0 ? 0 : Math.max(0, this.#trusted - this.#number);
  }

  /** For how long the trusted head has been past the node's. */
  get ms(): number {
    return this.#lagMs;
  }

  /** Judges by what is known now; keeps a verdict until the node is well back. */
  judge(facts: TipFacts, nowMs: number): void {
    this.#trusted = facts.trustedNumber;
    const behind = this.blocks;
    this.#lagMs = behind > 0 ? Math.max(0, nowMs - facts.passedAtMs) : 0;
    const late = this.#lagMs >= facts.maxMs && this.#behindReports >= 2;
    const far = behind > this.#options.maxBlocks && this.#overReports >= 2;
    if (late || far) this.verdict = nowMs - this.#movedAtMs >= facts.maxMs ? 'stalled' : 'lag';
    else if (behind <= Math.max(this.#options.returnBlocks, this.#options.tolerance) && this.#lagMs < facts.maxMs) this.verdict = null;
  }

  /** Nothing is known of the node any more. */
  reset(): void {
    this.#number = -1;
    this.#behindReports = 0;
    this.#overReports = 0;
    this.#lagMs = 0;
    this.verdict = null;
  }
}
