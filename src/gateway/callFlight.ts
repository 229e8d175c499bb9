import type { TimerHandle } from '../base/clock.ts';
import { Fault } from '../base/fault.ts';
import type { Flight } from '../cache/flight.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { OutcomeClass } from '../chain/outcome.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import type { CallCache } from './callCache.ts';
import { answerBytes } from './callFacts.ts';
import type { CallAnswer } from './callFacts.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';
import type { Aboard, Landing, Reply } from './landing.ts';

/** The call that shares its way to a node. */
export interface Flyer {
  readonly server: ServeContext;
  readonly chain: ChainRuntime;
  readonly call: ScannedCall;
  readonly client: Client;
  readonly spec: MethodSpec;
  readonly cached: CallCache;
  readonly live: boolean;
  readonly startedMs: number;
  /** Looks where the call stands in the chain, and goes on from there. */
  approach(): void;
  /** Asks a node. */
  proceed(): void;
  answer(answer: CallAnswer): void;
  refuse(fault: Fault): void;
  /** Stops what is under way. */
  stop(): void;
}

const ANEW: Landing = { kind: 'anew' };
/** Outcomes that are the chain's word, or about the call itself: everybody's. */
const isShared = (name: OutcomeClass): boolean => name === 'result' || name === 'chain' || name === 'client';

/** One call among equal ones in flight: it leads, or waits for the one that does. */
export class CallFlight implements Aboard {
  /** The answer is of a block above the head that its own request began with. */
  raised = false;
  /** Its caller is gone; others wait for what it comes to. */
  unattended = false;
  private readonly run: Flyer;
  private flight: Flight<Aboard> | null = null;
  private timer: TimerHandle | null = null;

  constructor(run: Flyer) {
    this.run = run;
  }

  /** Others wait for the answer too. */
  get isShared(): boolean {
    return this.unattended || (this.flight?.followers ?? 0) > 0;
  }

  /** Joins an equal call under way: true when this one waits for it. Otherwise it goes on by itself, perhaps for others. */
  board(): boolean {
    const { chain } = this.run;
    const key = this.key();
    if (this.flight !== null) {
      if (this.flight.key === key) return false;
      this.end(ANEW);
    }
    this.flight = key === '' ? null : chain.flights.join(key, this);
    if (this.flight === null || this.flight.leader === this) return false;
    const leftMs = this.deadlineMs - this.nowMs();
    this.timer = this.run.server.parts.world.timers.after(Math.max(0, leftMs), () => this.onDeadline());
    return true;
  }

  /** The answer of a node that its caller gets. */
  onReply(result: Reply, upstream: string, raised: boolean): void {
    if (this.flight === null) return;
    const landing: Landing = { kind: 'reply', result, upstream, raised };
    if (isShared(result.outcome.class)) this.end(landing);
    else this.fail(landing);
  }

  /** Begun anew on another chain, it has found its answer stored: those that wait for it look for themselves. */
  onStored(answer: CallAnswer): void {
    this.run.answer(answer);
    this.end(ANEW);
  }

  /** It came to nothing. */
  onFault(fault: Fault): void {
    this.fail({ kind: 'fault', fault });
  }

  /** Its caller is gone. False: nobody else waits for it, so that it is to be stopped, unless it was a mere follower. */
  leave(): boolean {
    const { flight } = this;
    if (flight === null) return false;
    const leads = flight.leader === this;
    const isOver = this.run.chain.flights.leave(flight, this);
    if (leads && !isOver) {
      this.unattended = true;
      return true;
    }
    this.drop();
    if (!leads && isOver) flight.leader.stop();
    return false;
  }

  hasTime(nowMs: number): boolean {
    return nowMs < this.deadlineMs;
  }

  land(landing: Landing): void {
    this.drop();
    const { run } = this;
    if (!run.live) return;
    if (landing.kind === 'fault') {
      run.chain.metrics.coalesced.add('failed');
      run.refuse(landing.fault);
    } else if (landing.kind === 'anew') {
      // not at once: whoever leads is in the midst of its own beginning
      queueMicrotask(() => this.again());
    } else {
      run.chain.metrics.coalesced.add('shared');
      this.raised = landing.raised;
      if (landing.raised && !run.client.inBatch) run.client.vantage = run.chain.tip.now();
      run.answer(answerBytes(run.call, landing.result, { upstream: landing.upstream, cache: 'coalesced', inParts: run.client.streams === true }));
    }
  }

  stop(): void {
    this.run.stop();
  }

  lead(): void {
    this.timer?.cancel();
    this.timer = null;
    this.run.chain.metrics.coalesced.add('led');
    this.run.proceed();
  }

  private again(): void {
    const { run } = this;
    if (!run.live) return;
    if (!run.client.inBatch) run.client.vantage = run.chain.tip.now();
    run.approach();
  }

  private onDeadline(): void {
    this.timer = null;
    if (this.flight !== null && this.run.chain.flights.leave(this.flight, this)) this.flight.leader.stop();
    this.flight = null;
    this.run.chain.metrics.coalesced.add('failed');
    this.run.refuse(new Fault('deadline'));
  }

  private end(landing: Landing): void {
    const { flight } = this;
    if (flight?.leader !== this) return;
    this.flight = null;
    this.run.chain.flights.land(flight, landing);
  }

  private fail(landing: Landing): void {
    const { flight, run } = this;
    if (flight?.leader !== this) return;
    this.flight = null;
    const nowMs = this.nowMs();
    run.chain.flights.fail(flight, landing, nowMs, () => run.chain.budget.trySpend(nowMs));
  }

  private drop(): void {
    this.timer?.cancel();
    this.timer = null;
    this.flight = null;
  }

  private get deadlineMs(): number {
    return this.run.startedMs + this.run.chain.config.routing.deadlineMs;
  }

  private nowMs(): number {
    return this.run.server.parts.world.clock.nowMs();
  }

  /**
   * What the call has in common with those that must get the same answer; '' = nothing with anybody. A call of a batch is pinned
   * to the head of the batch, one by itself need not be: they do not share.
   */
  private key(): string {
    const { chain, call, client, spec, cached } = this.run;
    // a trace tells of nodes: who wants one asks them itself
    if (!chain.config.coalescing.enabled || client.noCache || client.trace !== null) return '';
    const ask = cached.resolved ?? chain.cache.resolve(call, spec, client.vantage);
    if (ask === null) return '';
    return `${ask.hash}${client.inBatch ? '|' : '/'}${client.vantage.epoch}${client.vantage.raced}\n${ask.key}`;
  }
}
