import { Fault, type FaultKind } from '../base/fault.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { RequestOutcome, RetryReason } from '../observe/metricTable.ts';
import type { Grant } from '../route/admission.ts';
import { Attempt } from '../route/attempt.ts';
import type { AttemptPort, AttemptResult, CancelReason } from '../route/attemptPort.ts';
import { errorEnvelope } from '../rpc/envelope.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { AttemptSink, type AttemptOwner, type NodeAnswer } from './attemptSink.ts';
import { answerBytes, askForBlock, type CallAnswer, noteHash, ownAnswer, sawHash, takenText, toNobody } from './callFacts.ts';
import { CallCache } from './callCache.ts';
import { CallFlight, type Flyer } from './callFlight.ts';
import { AnswerCheck, type Checkable } from './answerCheck.ts';
import { BudgetWait, type Budgeted } from './budgetWait.ts';
import { CallPause, type Pausable } from './callPause.ts';
import { CallView } from './callView.ts';
import type { ChainRuntime, Underway } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import { holdFor, streamAboveBytes, takeLarge, type LargeCaller } from './largeCall.ts';
import type { LargeStart } from './largeReply.ts';
import { isRetryReason, noteEnd } from './learn.ts';
import { ownWord } from './ownWord.ts';
import { type Accompanied, SendAside, isAccompanied } from './sendAside.ts';
import { asksNextNonce, moveToFront } from './sends.ts';

/** One call from its scan to its answer: look up, route, forward, judge, answer, record. */
export class CallRun implements AttemptPort<NodeAnswer>, AttemptOwner, Underway, Pausable, Checkable, Accompanied, Flyer, Budgeted, LargeCaller {
  readonly call: ScannedCall;
  readonly chain: ChainRuntime;
  readonly server: ServeContext;
  spec: MethodSpec;
  place = -1;
  keyHash = 0;
  readonly client: Client;
  private readonly machine: Attempt<NodeAnswer>;
  private sinks: readonly AttemptSink[] = [];
  /** When it was made: it is started at once. */
  readonly startedMs: number;
  /** What the clock said at the event that is being worked on; -1 = between events. */
  private eventMs = -1;
  dueAtMs = Number.POSITIVE_INFINITY;
  private done: (answer: CallAnswer) => void = toNobody;
  live = false;
  /** What it was counted against and is still to leave. */
  private entered: Grant | null = null;
  /** Block whose state the call reads; -1 = none. */
  stateBlock = -1;
  private candidates: Int32Array | null = null;
  /** What the attempt before came to. */
  private retryReason: RetryReason = 'null';
  /** Its place in the line for the budget of its nodes. */
  private budgetWait: BudgetWait | null = null;
  view: CallView | null = null;
  private readonly pause = new CallPause(this);
  private readonly check = new AnswerCheck(this);
  readonly cached = new CallCache(this);
  readonly flight = new CallFlight(this);
  private aside: SendAside | null = null;

  constructor(server: ServeContext, chain: ChainRuntime, call: ScannedCall, client: Client) {
    this.server = server;
    this.chain = chain;
    this.call = call;
    this.client = client;
    this.spec = chain.catalog.unknownSpec;
    this.startedMs = server.parts.world.clock.nowMs();
    this.machine = new Attempt<NodeAnswer>(this, chain.attempts);
  }

  /** @param done gets the answer exactly once, unless the call is abandoned; possibly before this returns */
  start(done: (answer: CallAnswer) => void): void {
    this.done = done;
    this.live = true;
    this.server.inFlight++;
    this.eventMs = this.startedMs;
    const decision = this.chain.policy.decide(this.call.method);
    if (decision.spec !== null) this.spec = decision.spec;
    if (isAccompanied(this.spec)) this.aside = new SendAside(this);
    const fault = this.enter() ?? decision.fault;
    if (fault !== null) return this.refuse(fault);
    this.cached.flushIfChanged();
    const own = ownWord(this);
    if (own instanceof Fault) return this.refuse(own);
    if (own !== null) return this.answer(own);
    this.approach();
    this.eventMs = -1;
  }

  /** The client is gone: nobody waits for the answer any more. */
  abandon(): void {
    this.done = toNobody;
    if (this.live && !this.flight.leave()) this.stop();
  }

  /** Ends whatever it waits for. */
  stop(): void {
    if (this.pause.cancel() || this.budgetWait?.isWaiting === true || this.candidates === null) this.close('gone');
    else this.machine.onGone();
  }

  /** Nodes left service while this call was under way. */
  onLeft(indices: readonly number[]): void {
    const nowMs = this.now();
    for (const index of indices) {
      const state = this.chain.table.entries[index]?.state;
      if (this.live && state !== undefined) this.machine.onEjected(index, state, nowMs);
    }
  }

  /** Whether another trusted branch, or another head, can make another answer of this one. */
  get mayChange(): boolean {
    return this.view === null ? this.spec.name === 'eth_blockNumber' || this.cached.mayChange : this.view.sight.mayChange;
  }

  /** Whether the answer is of a block above the head that the request began with. */
  get raised(): boolean {
    return this.view?.raised === true || this.flight.raised;
  }

  send(attempt: number, upstreamIndex: number, _timeoutMs: number, sentMs: number): void {
    const { chain, sinks } = this;
    const node = chain.node(upstreamIndex);
    const isHedge = sinks.length > 0 && sinks.some((sink) => !sink.over);
    if (sinks.length > 0 && !isHedge) chain.metrics.onRetry(this.retryReason);
    const id = this.server.nextId();
    const sink = new AttemptSink(this, { attempt, upstreamIndex, id, isHedge, sentMs, streamAboveBytes: streamAboveBytes(this) });
    this.sinks = sinks.length === 0 ? [sink] : [...sinks, sink];
    if (node === undefined) return queueMicrotask(() => sink.onMissing());
    const paramsRaw = this.view?.paramsFor(chain.table.entries[upstreamIndex], sentMs, this.cached.paramsFor(sink)) ?? this.call.paramsRaw;
    sink.exchange = node.client.call(chain.request(id, this.spec, this.call.method, paramsRaw), sink);
  }

  cancel(attempt: number, why: CancelReason): void {
    this.sinks.find((sink) => sink.attempt === attempt)?.giveUp(why);
  }

  arm(atMs: number, nowMs: number): void {
    this.chain.dues.ask(this, atMs, nowMs);
  }

  onDue(nowMs: number): void {
    if (this.live) this.machine.onTimer(nowMs);
  }

  finish(result: AttemptResult<NodeAnswer>): void {
    if (result.kind === 'gone') {
      this.close('gone');
    } else if (result.kind === 'reply' && this.mayChange && this.client.vantage.epoch !== this.chain.view.epoch && this.pause.mayRerun) {
      this.pause.rerun();
    } else if (result.kind === 'fault' && (this.check.offBranch > 0 || this.pause.isForRace(result.fault))) {
      this.pause.forBranch();
    } else if (this.aside?.takes(result) !== true) {
      this.conclude(result);
    }
  }

  conclude(result: Exclude<AttemptResult<NodeAnswer>, { kind: 'gone' }>): void {
    if (result.kind === 'fault') {
      this.refuse(new Fault(result.fault, '', null, Math.ceil(result.holdMs / 1000)));
    } else {
      if (this.raised && !this.client.inBatch) this.client.vantage = this.chain.tip.now();
      if (this.spec.class === 'write') noteHash(this, takenText(this.call, result.reply), result.upstreamIndex);
      for (const sink of this.sinks) if (sink.isHedge) this.chain.metrics.onHedge(sink.answer === result.reply ? 'won' : 'lost');
      const upstream = this.chain.table.entries[result.upstreamIndex]?.name ?? '';
      this.cached.store(result, this.sinks);
      if (result.reply.large !== undefined) this.entered = holdFor(result.reply.large, this.server, this.entered);
      this.answer(answerBytes(this.call, result, { upstream, cache: this.cached.verdict, inParts: this.client.streams === true }));
      this.flight.onReply(result, upstream, this.raised);
    }
  }

  answerWith(resultRaw: string, upstreamIndex: number): void {
    const { done } = this;
    noteHash(this, resultRaw, upstreamIndex);
    this.close('result');
    this.machine.onGone(); // stops what is still under way
    done(ownAnswer(this.call, resultRaw, { upstream: this.chain.table.entries[upstreamIndex]?.name ?? '', cache: 'bypass' }));
  }

  /** An attempt ended with an answer of its node; called by its sink. */
  onAnswer(sink: AttemptSink, outcome: Outcome, answer: NodeAnswer): void {
    this.eventMs = this.record(sink, outcome);
    this.check.take(sink, outcome, answer);
    this.eventMs = -1;
  }

  takeLarge(sink: AttemptSink, start: LargeStart): NodeAnswer | null {
    return takeLarge(this, sink, start);
  }

  settle(attempt: number, outcome: Outcome, answer: NodeAnswer): void {
    this.machine.onAnswer(attempt, outcome, answer, this.now());
  }

  fail(attempt: number, outcome: Outcome): void {
    this.machine.onFailure(attempt, outcome, this.now());
  }

  /** An attempt ended without one. */
  onFailure(sink: AttemptSink, outcome: Outcome): void {
    this.machine.onFailure(sink.attempt, outcome, this.record(sink, outcome));
  }

  /** One reading of the clock does for all that follows from an event at once. */
  private now(): number {
    return this.eventMs >= 0 ? this.eventMs : this.server.parts.world.clock.nowMs();
  }

  /** Counts how an attempt ended, for health and metrics. */
  record(sink: AttemptSink, outcome: Outcome): number {
    if (isRetryReason(outcome.class)) this.retryReason = outcome.class;
    return noteEnd(this, sink, outcome);
  }

  /** Counts the call against its client's limits. */
  private enter(): Fault | null {
    const { grant } = this.client;
    const fault = grant?.enter(this.call, this.spec.weight, this.startedMs) ?? null;
    if (fault === null) this.entered = grant;
    return fault;
  }

  /** Looks where the call stands in the chain, and goes on from there. */
  approach(): void {
    this.dueAtMs = Number.POSITIVE_INFINITY;
    const stored = this.cached.lookUp();
    if (stored !== null) return this.flight.onStored(stored);
    if (!this.flight.board()) this.proceed();
  }

  /** Asks a node as soon as one is where the call needs it. */
  proceed(): void {
    const { chain, client } = this;
    this.view = new CallView(chain, this.spec, this.call, client);
    if (asksNextNonce(this.spec, this.view.ref) && chain.sends.mustWait) return this.pause.forSends(this.view, (view) => this.route(view));
    if (!this.view.isTold(chain.table)) return this.route(this.view);
    this.pause.forHeight(this.view, () => this.route(new CallView(chain, this.spec, this.call, client)));
  }

  private route(view: CallView): void {
    const { chain, call, spec } = this;
    const { table, ask } = chain;
    const nowMs = this.now();
    this.view = view;
    chain.running.add(this);
    chain.spare.give(this.candidates);
    chain.aim(spec, call, this.client);
    this.keyHash = ask.affine ? ask.keyHash : 0;
    ask.nowMs = nowMs;
    askForBlock(view, ask);
    this.stateBlock = ask.stateBlock;
    const candidates = chain.spare.take(table.entries.length);
    this.candidates = candidates;
    const candidateCount = chain.ranker.rank(table, spec, ask, candidates);
    moveToFront(candidates, candidateCount, chain.sends.nodeFor(spec, view.ref, call.paramsRaw, nowMs));
    this.client.trace?.onRanked(chain, spec, nowMs);
    this.client.inner?.order(candidates, candidateCount);
    if (view.sight.firm && candidateCount > 0 && !view.stands(table.entries[candidates[0] as number])) return this.pause.forNode(view);
    if (candidateCount === 0 && chain.ranker.refusal === 'overloaded' && this.pause.forRoom()) return;
    if (candidateCount > 0 && !chain.book.budgets.hasRoom(candidates[0] as number, spec.weight, nowMs)) {
      this.budgetWait ??= new BudgetWait(this);
      if (this.budgetWait.holds(candidates, candidateCount, nowMs)) return;
    }
    const hashSeen = spec.nullMeansAbsent && sawHash(chain, spec, call.paramsRaw);
    const deadlineMs = this.startedMs + chain.config.routing.deadlineMs;
    this.machine.start({ method: spec, table, candidates, candidateCount, refusal: chain.ranker.refusal, deadlineMs, hashSeen }, nowMs);
    if (spec.class === 'write' && this.live) this.aside?.copy(candidates, candidateCount, candidates[0] ?? -1);
  }

  refuse(fault: Fault): void {
    this.answer({ status: fault.spec.status, body: errorEnvelope(this.call.idRaw ?? 'null', fault), upstream: '', retryAfterS: fault.retryAfterS, cache: this.cached.verdict, outcome: fault.spec.kind as FaultKind });
    this.flight.onFault(fault);
  }

  answer(answer: CallAnswer): void {
    const done = this.done;
    this.close(answer.outcome);
    done(answer);
  }

  private close(outcome: RequestOutcome): void {
    if (!this.live) return;
    this.live = false;
    this.cached.flushIfChanged();
    const nowMs = this.now();
    this.server.inFlight--;
    this.entered?.leave();
    this.budgetWait?.leave(nowMs);
    this.chain.running.delete(this);
    this.chain.spare.give(this.candidates);
    this.candidates = null;
    this.done = toNobody;
    if (this.client.inner !== undefined) return;
    const tookMs = nowMs - this.startedMs;
    this.chain.metrics.onRequest(this.spec.index, this.flight.unattended ? 'gone' : outcome, tookMs);
    if (this.server.parts.sampleEvery > 0) this.server.sample({ chain: this.chain.name, method: this.spec.name, outcome, tookMs, attempts: this.sinks.length });
  }
}
