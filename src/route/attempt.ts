import type { FaultKind } from '../base/fault.ts';
import type { Outcome, OutcomeClass } from '../chain/outcome.ts';
import type { UpstreamState } from '../health/state.ts';
import { AttemptLog } from './attemptLog.ts';
import type { AttemptRecord } from './attemptLog.ts';
import type { AttemptCall, AttemptPort, AttemptResult, AttemptShared, CancelReason, NodeReply } from './attemptPort.ts';
import { Candidates } from './candidates.ts';
import { holdOf, verdictOf } from './verdict.ts';

const RECHECK_MIN_MS = 10;
const NEVER = Number.POSITIVE_INFINITY;

const TIMEOUT: Outcome = { class: 'timeout', retry: 'other', blame: true, unsent: false, holdMs: 0 };
const LOST: Outcome = { class: 'transport', retry: 'other', blame: false, unsent: false, holdMs: 0 };

/** Failures for which the node said nothing at all. */
const MUTE: Readonly<Partial<Record<OutcomeClass, true>>> = { transport: true, timeout: true, cancelled: true };

/**
 * Decides for one call at a time what is sent where, when to hedge, retry and stop. Promises: `finish` exactly once per `start`
 * and by the deadline; at most `maxAttempts` sends; a call that is not retryable reaches at most one node; an answer
 * once received is never beaten by an error; a null that can mean "not here yet" never beats data that is still under way.
 *
 * Time: one timer for the next of hedge, attempt timeout and deadline. An attempt that is the last possible has until the
 * deadline, for giving up on it would help nobody.
 */
export class Attempt<R extends NodeReply> {
  private readonly port: AttemptPort<R>;
  private readonly shared: AttemptShared;
  private readonly log = new AttemptLog<R>();
  private readonly candidates: Candidates<R>;
  private call: AttemptCall | null = null;
  /** The null that is kept while another node may know more. */
  private fallback: AttemptRecord<R> | null = null;
  private nullAsked = false;
  private sameAsked = false;
  private hedges = 0;
  private hedgeAtMs = NEVER;
  private recheckAtMs = NEVER;
  private armedAtMs = NEVER;

  constructor(port: AttemptPort<R>, shared: AttemptShared) {
    this.port = port;
    this.shared = shared;
    this.candidates = new Candidates(this.log, shared.book);
  }

  /** Begins a call. Throws when the call before is not over: that is a bug. */
  start(call: AttemptCall, nowMs: number): void {
    if (this.call !== null) throw new Error('Attempt: the call before is not over');
    this.call = call;
    this.candidates.begin(call);
    this.shared.budget.onCall(nowMs);
    if (call.candidateCount === 0) return this.fail(call.refusal);
    if (nowMs >= call.deadlineMs) return this.fail('deadline');
    this.send(call, call.candidates[0] as number, nowMs);
    this.rearm(nowMs);
  }

  /** A node answered in full: a result, or an error that the outcome classifies. */
  onAnswer(attempt: number, outcome: Outcome, reply: R, nowMs: number): void {
    const record = this.close(attempt, outcome, reply);
    if (this.call === null || record === null) return;
    this.shared.book.answered(record.upstreamIndex);
    if (outcome.class === 'result') {
      if (!reply.isNull || !this.call.method.nullMeansAbsent) return this.win(record, 'lost');
      if (this.fallback !== null) return this.win(this.fallback, 'lost');
      this.fallback = record;
      this.candidates.capWaits(nowMs);
      this.settleNull(this.call, nowMs);
    } else {
      this.afterLoss(this.call, record, nowMs);
    }
    this.rearm(nowMs);
  }

  /** An attempt ended without an answer that could be shown. */
  onFailure(attempt: number, outcome: Outcome, nowMs: number): void {
    const record = this.close(attempt, outcome, null);
    if (this.call === null || record === null) return;
    if (MUTE[outcome.class] !== true) this.shared.book.answered(record.upstreamIndex);
    this.afterLoss(this.call, record, nowMs);
    this.rearm(nowMs);
  }

  /** The armed time came. Too early or too often does no harm. */
  onTimer(nowMs: number): void {
    const { call } = this;
    if (call === null) return;
    this.armedAtMs = NEVER;
    if (nowMs >= call.deadlineMs) return this.onDeadline();
    for (let i = 0; i < this.log.count; i++) {
      const record = this.log.at(i);
      if (record?.open === true && record.timeoutAtMs <= nowMs) this.onSlow(call, record, nowMs);
    }
    if (this.recheckAtMs <= nowMs) this.settleNull(call, nowMs);
    if (this.hedgeAtMs <= nowMs) this.hedge(call, nowMs);
    this.rearm(nowMs);
  }

  /** The client left: everything stops. */
  onGone(): void {
    if (this.call !== null) this.end({ kind: 'gone', sends: this.log.count }, 'gone');
  }

  /** A node left service: nothing more goes there, and what waits on a node that is `down` goes elsewhere at once. */
  onEjected(upstreamIndex: number, state: UpstreamState, nowMs: number): void {
    const { call } = this;
    if (call === null) return;
    this.candidates.ruleOut(upstreamIndex);
    const record = state === 'down' ? this.log.openAt(upstreamIndex) : null;
    if (record === null || !this.log.everyOpen((index) => this.candidates.isOut(index))) return;
    if (this.fallback !== null) this.settleNull(call, nowMs);
    else this.replace(call, record, LOST, nowMs);
    this.rearm(nowMs);
  }

  private send(call: AttemptCall, upstreamIndex: number, nowMs: number): void {
    const { options, book } = this.shared;
    const leftMs = call.deadlineMs - nowMs;
    const record = this.log.add(upstreamIndex, call.deadlineMs);
    const elsewhere = call.method.retryable && this.log.count < options.maxAttempts && this.candidates.any();
    const timeoutMs =
      elsewhere || this.fallback !== null ? Math.min(this.candidates.timeoutMs(upstreamIndex), leftMs) : leftMs;
    record.timeoutAtMs = nowMs + timeoutMs;
    const hedgeable = elsewhere && call.method.hedgeable && this.hedges < options.maxHedges;
    this.hedgeAtMs = hedgeable ? nowMs + this.candidates.hedgeDelayMs(upstreamIndex) : NEVER;
    book.sent(upstreamIndex, nowMs, call.method.weight);
    this.port.send(record.number, upstreamIndex, timeoutMs, nowMs);
  }

  /** After an attempt that brought no result. */
  private afterLoss(call: AttemptCall, record: AttemptRecord<R>, nowMs: number): void {
    const final = record.outcome?.retry === 'final' && record.outcome.class !== 'cancelled';
    if (this.fallback !== null) return final ? this.win(this.fallback, 'lost') : this.settleNull(call, nowMs);
    if (final && record.reply !== null) return this.win(record, 'lost');
    if (this.log.open > 0) return;
    const next = final ? -1 : this.nextAfter(call, record, nowMs);
    if (next >= 0) this.send(call, next, nowMs);
    else this.conclude('lost');
  }

  /** An attempt is over its time: on to the next node, or on waiting where there is none to go to. */
  private onSlow(call: AttemptCall, record: AttemptRecord<R>, nowMs: number): void {
    if (this.fallback === null && this.replace(call, record, TIMEOUT, nowMs)) return;
    if (this.fallback === null && this.log.open === 1) {
      record.timeoutAtMs = call.deadlineMs;
      return;
    }
    this.drop(record, TIMEOUT, 'timeout');
    this.settleNull(call, nowMs);
  }

  /** Gives up an open attempt for one elsewhere; false where there is none to be had. */
  private replace(call: AttemptCall, record: AttemptRecord<R>, outcome: Outcome, nowMs: number): boolean {
    const next = this.nextAfter(call, record, nowMs);
    if (next < 0) return false;
    this.drop(record, outcome, outcome === TIMEOUT ? 'timeout' : 'down');
    this.send(call, next, nowMs);
    return true;
  }

  private hedge(call: AttemptCall, nowMs: number): void {
    this.hedgeAtMs = NEVER;
    if (this.fallback !== null || this.log.count >= this.shared.options.maxAttempts) return;
    const next = this.candidates.next(nowMs);
    if (next < 0 || !this.pay(this.candidates.openAreLost(nowMs), nowMs)) return;
    this.hedges++;
    this.send(call, next, nowMs);
  }

  /** With a null in hand: wait for who may know more, ask one other node, or take it. */
  private settleNull(call: AttemptCall, nowMs: number): void {
    const { fallback } = this;
    if (fallback === null) return;
    if (this.log.open > 0 && !this.candidates.openAreLost(nowMs)) {
      this.recheckIn(fallback.upstreamIndex, nowMs);
      return;
    }
    this.recheckAtMs = NEVER;
    if (!this.askOther(call, fallback, nowMs)) this.win(fallback, 'lost');
  }

  private askOther(call: AttemptCall, first: AttemptRecord<R>, nowMs: number): boolean {
    const { options, budget } = this.shared;
    if (!options.nullRetry || this.nullAsked || !call.method.retryable || this.log.count >= options.maxAttempts)
      return false;
    const aboveHead = call.hashSeen ? Number.NEGATIVE_INFINITY : this.candidates.entry(first.upstreamIndex).headNumber;
    const next = this.candidates.next(nowMs, aboveHead);
    if (next < 0 || !budget.trySpend(nowMs)) return false;
    this.nullAsked = true;
    this.send(call, next, nowMs);
    this.recheckIn(next, nowMs);
    return true;
  }

  /** A wait for more than a null asks now and then whether those waited for still live. */
  private recheckIn(upstreamIndex: number, nowMs: number): void {
    this.recheckAtMs = nowMs + Math.max(RECHECK_MIN_MS, this.candidates.hedgeDelayMs(upstreamIndex));
  }

  /** Where the call goes after `record`, with the budget charged; -1 when it may not or cannot go anywhere. */
  private nextAfter(call: AttemptCall, record: AttemptRecord<R>, nowMs: number): number {
    if (this.log.count >= this.shared.options.maxAttempts || nowMs >= call.deadlineMs) return -1;
    if (!call.method.retryable && this.log.mayHaveRun(null)) return -1;
    const { outcome, upstreamIndex } = record;
    let next = this.candidates.retryNext(nowMs);
    const same = next < 0 && outcome?.retry === 'same' && !this.sameAsked && !this.candidates.isOut(upstreamIndex);
    if (same) next = upstreamIndex;
    const free =
      outcome?.unsent === true || outcome?.class === 'transport' || this.candidates.isLost(upstreamIndex, nowMs);
    if (next < 0 || !this.pay(free, nowMs)) return -1;
    this.sameAsked ||= same;
    return next;
  }

  private pay(free: boolean, nowMs: number): boolean {
    if (!free) return this.shared.budget.trySpend(nowMs);
    this.shared.budget.noteFree();
    return true;
  }

  private onDeadline(): void {
    if (this.fallback !== null) return this.win(this.fallback, 'deadline');
    for (let i = 0; i < this.log.count; i++) {
      const record = this.log.at(i);
      if (record?.open === true) this.drop(record, TIMEOUT, 'deadline');
    }
    this.conclude('deadline');
  }

  /** No node will give a result. */
  private conclude(why: CancelReason): void {
    const verdict = verdictOf((position) => this.log.at(position), this.call?.method.retryable === true);
    if (typeof verdict === 'string') return this.fail(verdict, why);
    const record = this.log.at(verdict);
    if (record !== undefined) this.win(record, why);
  }

  private win(record: AttemptRecord<R>, why: CancelReason): void {
    const { reply, outcome, upstreamIndex } = record;
    if (reply === null || outcome === null) return this.fail('internal', why);
    const mayHaveRunBefore = this.log.mayHaveRun(record);
    this.end({ kind: 'reply', reply, outcome, upstreamIndex, sends: this.log.count, mayHaveRunBefore }, why);
  }

  private fail(fault: FaultKind, why: CancelReason = 'lost'): void {
    this.end({ kind: 'fault', fault, holdMs: holdOf((position) => this.log.at(position)), sends: this.log.count }, why);
  }

  private end(result: AttemptResult<R>, why: CancelReason): void {
    for (let i = 0; i < this.log.count; i++) {
      const record = this.log.at(i);
      if (record?.open === true) this.drop(record, LOST, why);
    }
    this.call = null;
    this.fallback = null;
    this.nullAsked = false;
    this.sameAsked = false;
    this.hedges = 0;
    this.hedgeAtMs = NEVER;
    this.recheckAtMs = NEVER;
    this.armedAtMs = NEVER;
    this.log.clear();
    this.candidates.end();
    this.port.finish(result);
  }

  /** One timer for everything; it is left alone when it already comes early enough. */
  private rearm(nowMs: number): void {
    if (this.call === null) return;
    const wakeAtMs = Math.min(this.call.deadlineMs, this.hedgeAtMs, this.recheckAtMs, this.log.nextTimeoutAtMs());
    if (wakeAtMs >= this.armedAtMs) return;
    this.armedAtMs = wakeAtMs;
    this.port.arm(wakeAtMs, nowMs);
  }

  private close(attempt: number, outcome: Outcome, reply: R | null): AttemptRecord<R> | null {
    const record = this.log.find(attempt);
    if (record === undefined) return null;
    this.log.close(record, outcome, reply);
    this.shared.book.ended(record.upstreamIndex);
    return record;
  }

  private drop(record: AttemptRecord<R>, outcome: Outcome, why: CancelReason): void {
    this.close(record.number, outcome, null);
    this.port.cancel(record.number, why);
  }
}
