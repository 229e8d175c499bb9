import type { Random } from '../base/random.ts';
import { CountWindow } from '../base/window.ts';
import type { Outcome } from '../chain/outcome.ts';
import { ArrivalDelay } from './arrival.ts';
import { Doubt } from './doubt.ts';
import { ThrottleHold } from './hold.ts';
import { LagWatch } from './lag.ts';
import { LatencyWindow } from './latency.ts';
import { LearntLimits } from './learnt.ts';
import { StateMachine } from './machine.ts';
import type { HealthOptions, JudgedUpstream, PaceOptions } from './options.ts';
import { NodePace } from './pace.ts';
import type { ProbeOk, ProbeResult } from './probe.ts';
import type { StateReason } from './state.ts';
import type { Verdict } from './eject.ts';

const GOOD = 0;
const FAILED = 1;
/** The short look back is this part of `failures.windowMs`: a sudden fault must not hide behind a good half minute. */
const SHORT_PART = 6;
/** A node whose probes are throttled is let be for so long after it last told its head. */
const DEAF_MS = 30_000;

/** Everything that is known of one upstream: counted calls, probes, state. Hot: `onOutcome` only. */
export class NodeHealth {
  readonly index: number;
  upstream: JudgedUpstream;
  /** Configured, or set by an operator since. */
  weight: number;
  readonly machine: StateMachine;
  readonly hold: ThrottleHold;
  readonly lag: LagWatch;
  readonly latency: LatencyWindow;
  readonly pace: NodePace;
  readonly arrival = new ArrivalDelay();
  readonly fork = new Doubt();
  readonly ahead = new Doubt();
  score = 1;
  /** No longer configured; the index stays taken. */
  removed = false;
  /** What speaks against it since the last look; null = nothing. */
  verdict: Verdict | null = null;
  /** Its last probe was answered. */
  answers = false;
  probed = false;
  wrongChain = false;
  syncing = false;
  lastProbe: ProbeOk | null = null;
  clientVersion: string | null = null;
  /** The same, but only as long as no probe fails: after that it may be another client. */
  client = '';
  chainId: number | null = null;
  lacks: number;
  /** What its own answers showed that it cannot do. */
  readonly learnt: LearntLimits;
  readonly #options: HealthOptions;
  readonly #window: CountWindow;
  readonly #lately: CountWindow;
  #failedProbes = 0;
  /** When it last told its head. */
  #heardMs: number;
  /** When a call last failed to reach it, with no good probe since; -1 = none did. */
  #callFailedMs = -1;

  constructor(index: number, upstream: JudgedUpstream, setup: { readonly health: HealthOptions; readonly pace: PaceOptions; readonly random: Random }, nowMs: number) {
    this.index = index;
    this.upstream = upstream;
    this.weight = upstream.weight;
    this.#heardMs = nowMs;
    this.lacks = upstream.lacks;
    this.learnt = new LearntLimits(upstream.denied);
    this.#options = setup.health;
    this.#window = new CountWindow(setup.health.failures.windowMs, 2);
    this.#lately = new CountWindow(setup.health.failures.windowMs / SHORT_PART, 2);
    this.machine = new StateMachine(setup.health, nowMs);
    this.hold = new ThrottleHold(setup.random);
    this.lag = new LagWatch(setup.health.lag);
    this.latency = new LatencyWindow(2 * setup.health.failures.windowMs);
    this.pace = new NodePace(setup.pace);
  }

  /** Another configuration for the same node: what is known of its health stays. */
  configure(upstream: JudgedUpstream): void {
    // a weight that an operator set holds until the config names another
    if (upstream.weight !== this.upstream.weight) this.weight = upstream.weight;
    this.lacks = upstream.lacks;
    this.learnt.configure(upstream.denied);
    this.upstream = upstream;
  }

  /**
   * Counts one attempt. Given-up ones never count; being throttled is no failure.
   * @returns true when the node should be probed at once
   */
  onOutcome(outcome: Outcome, latencyMs: number, nowMs: number): boolean {
    if (outcome.class === 'cancelled') return false;
    if (outcome.class === 'throttled') {
      this.hold.onThrottled(outcome.holdMs, nowMs);
      return false;
    }
    const kind = outcome.blame ? FAILED : GOOD;
    this.#window.add(kind, nowMs);
    this.#lately.add(kind, nowMs);
    if (!outcome.blame) {
      this.hold.onAnswered(nowMs);
      this.latency.record(latencyMs);
      return false;
    }
    const unreached = outcome.class === 'transport' || outcome.class === 'timeout';
    if (unreached) this.#callFailedMs = nowMs;
    return unreached && this.machine.state !== 'down';
  }

  /** It told its head. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
  }

  /** A probe was answered. */
  onProbeOk(result: ProbeOk, expectedChainId: number | null, nowMs: number): void {
    if (this.machine.state === 'down' && !this.answers) this.forgive();
    this.answers = true;
    this.probed = true;
    this.lastProbe = result;
    this.syncing = result.syncing;
    this.#failedProbes = 0;
    // A probe that was asked before the call failed says nothing about now.
    if (nowMs - result.latencyMs >= this.#callFailedMs) this.#callFailedMs = -1;
    this.chainId = result.chainId ?? this.chainId;
    this.clientVersion = result.clientVersion ?? this.clientVersion;
    this.client = result.clientVersion ?? this.client;
    if (this.chainId !== null && expectedChainId !== null) this.wrongChain = this.chainId !== expectedChainId;
  }

  /** A probe was not answered: down after `downAfter` in a row, or after one where a call failed since the last good probe, or that was the first. */
  onProbeFailed(kind: Exclude<ProbeResult['kind'], 'ok'>, nowMs: number): void {
    const first = !this.probed;
    this.probed = true;
    this.client = '';
    // it lives, but who tells no head for long cannot be judged
    if (kind === 'throttled' && nowMs - this.#heardMs < DEAF_MS) return;
    this.answers = false;
    this.#failedProbes++;
    this.machine.onBadProbe();
    const confirmed = (kind === 'refused' || kind === 'timeout') && (this.#callFailedMs >= 0 || first);
    if (!confirmed && this.#failedProbes < this.#options.downAfter) return;
    const reason: StateReason = kind === 'refused' ? 'probe-refused' : kind === 'timeout' ? 'probe-timeout' : 'probe-bad';
    this.machine.goDown(reason, nowMs);
    this.lag.reset();
    this.fork.reset();
    this.ahead.reset();
  }

  /** Share of failed calls in the window, or in its last sixth if that is worse; 0 below `failures.minSamples`. */
  failureRate(nowMs: number): number {
    return Math.max(this.#rateIn(this.#window, nowMs), this.#rateIn(this.#lately, nowMs));
  }

  /** Calls counted in the window. */
  samples(nowMs: number): number {
    return this.#window.total(FAILED, nowMs) + this.#window.total(GOOD, nowMs);
  }

  /** What was counted before the node was ejected, or went down, does not speak against it after. */
  forgive(): void {
    this.#window.clear();
    this.#lately.clear();
    this.latency.clear();
  }

  #rateIn(window: CountWindow, nowMs: number): number {
    const failed = window.total(FAILED, nowMs);
    const all = failed + window.total(GOOD, nowMs);
    return all >= this.#options.failures.minSamples ? failed / all : 0;
  }
}
