import type { HealthOptions } from './options.ts';
import type { StateReason, UpstreamState } from './state.ts';

/**
 * State of one upstream. Every way from state to state is one method here; `version` grows with each.
 *
 *   probation(new) -> serving
 *   serving, ramping -> ejected -> probation -> ramping -> serving
 *   any but cordoned -> down -> probation
 *   any -> cordoned -> probation
 */
export class StateMachine {
  state: UpstreamState = 'probation';
  reason: StateReason = 'new';
  sinceMs: number;
  /** Monotonic ms before which an ejected node does not return. */
  ejectedUntilMs = 0;
  version = 0;
  readonly #options: HealthOptions;
  #good = 0;
  #ejections = 0;
  #calmSinceMs: number;

  constructor(options: HealthOptions, nowMs: number) {
    this.#options = options;
    this.sinceMs = nowMs;
    this.#calmSinceMs = nowMs;
  }

  /** Ejections that still lengthen the next one. */
  get ejections(): number {
    return this.#ejections;
  }

  /** May get client traffic without any exception. */
  get serves(): boolean {
    return this.state === 'serving' || this.state === 'ramping';
  }

  /**
   * A good probe. probation(new) -> serving; down -> probation after `upAfter`; probation -> ramping after `probation.samples`.
   * @param fit nothing speaks against the node; on probation a probe that finds something starts the count anew
   */
  onGoodProbe(fit: boolean, nowMs: number): void {
    if (!fit) {
      this.#good = 0;
      return;
    }
    this.#good++;
    if (this.state === 'down' && this.#good >= this.#options.upAfter) this.#go('probation', this.reason, nowMs);
    else if (this.state === 'probation' && this.reason === 'new') this.#go('serving', 'ok', nowMs);
    else if (this.state === 'probation' && this.#good >= this.#options.probation.samples) this.#go('ramping', 'ok', nowMs);
  }

  /** A probe failed: a row of good ones is broken. */
  onBadProbe(): void {
    this.#good = 0;
  }

  /** any but cordoned -> down */
  goDown(reason: StateReason, nowMs: number): void {
    this.#good = 0;
    if (this.state === 'cordoned') return;
    if (this.state === 'down') this.reason = reason;
    else this.#go('down', reason, nowMs);
  }

  /**
   * serving, ramping, probation -> ejected; an ejected node keeps its time and takes the new reason.
   * @param free a fact that passes by itself (lag, fork): its first ejection has no minimum time
   */
  eject(reason: StateReason, free: boolean, nowMs: number): void {
    if (this.state === 'cordoned' || this.state === 'down') return;
    if (this.state === 'ejected') {
      if (this.reason !== reason) this.#reasonOnly(reason);
      return;
    }
    // On probation nothing was given back yet, so it is no new offence.
    if (this.state !== 'probation') this.#ejections++;
    const { baseMs, maxMs } = this.#options.ejection;
    const times = free ? this.#ejections - 1 : this.#ejections;
    this.ejectedUntilMs = nowMs + Math.min(maxMs, baseMs * Math.max(0, times));
    this.#go('ejected', reason, nowMs);
  }

  /** ejected -> probation, once its time is over; true when it did. */
  release(nowMs: number): boolean {
    if (this.state !== 'ejected' || nowMs < this.ejectedUntilMs) return false;
    this.#go('probation', this.reason, nowMs);
    return true;
  }

  /** any -> cordoned */
  cordon(nowMs: number): void {
    if (this.state !== 'cordoned') this.#go('cordoned', 'operator', nowMs);
  }

  /** cordoned -> probation */
  uncordon(nowMs: number): void {
    if (this.state === 'cordoned') this.#go('probation', 'operator', nowMs);
  }

  /** ramping -> serving when the ramp is over; old ejections fade, one each `ejection.baseMs` times their number without a new one. */
  tick(nowMs: number): void {
    if (this.state === 'ramping' && nowMs - this.sinceMs >= this.#options.ramp.durationMs) this.#go('serving', 'ok', nowMs);
    if (!this.serves) this.#calmSinceMs = nowMs;
    else if (this.#ejections > 0 && nowMs - this.#calmSinceMs >= this.#options.ejection.baseMs * this.#ejections) {
      this.#ejections--;
      this.#calmSinceMs = nowMs;
    }
  }

  /** Share of its weight that the node gets: 0 out of service, growing in ten steps on the ramp, 1 when serving. */
  share(nowMs: number): number {
    if (this.state === 'serving') return 1;
    if (this.state !== 'ramping') return 0;
    const { durationMs, minShare } = this.#options.ramp;
    const passed = durationMs > 0 ? (nowMs - this.sinceMs) / durationMs : 1;
    return Math.min(1, minShare + (1 - minShare) * (Math.floor(10 * Math.max(0, passed)) / 10));
  }

  #reasonOnly(reason: StateReason): void {
    this.reason = reason;
    this.version++;
  }

  #go(state: UpstreamState, reason: StateReason, nowMs: number): void {
    this.state = state;
    this.reason = reason;
    this.sinceMs = nowMs;
    this.#good = 0;
    this.version++;
  }
}
