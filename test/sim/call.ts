import type { TimerHandle } from '../../src/base/clock.ts';
import type { MethodSpec } from '../../src/chain/method.ts';
import type { Outcome } from '../../src/chain/outcome.ts';
import { Attempt } from '../../src/route/attempt.ts';
import type { AttemptPort, AttemptResult, CancelReason, NodeReply } from '../../src/route/attemptPort.ts';
import type { SimGateway } from './gateway.ts';

const CANCELLED: Outcome = { class: 'cancelled', retry: 'final', blame: false, unsent: false, holdMs: 0 };
const TIMEOUT: Outcome = { class: 'timeout', retry: 'other', blame: true, unsent: false, holdMs: 0 };

interface Send {
  readonly attempt: number;
  readonly index: number;
  readonly sentMs: number;
  over: boolean;
}

/** One client call through the production attempt machine, against simulated nodes. */
export class SimCall implements AttemptPort<NodeReply> {
  readonly method: MethodSpec;
  readonly startedMs: number;
  /** How often it ended, and how; the checkers read these. */
  finishes = 0;
  finishedMs = -1;
  result: AttemptResult<NodeReply> | null = null;
  /** Sends that may have been run by a node. */
  reached = 0;
  gone = false;
  readonly sends: Send[] = [];
  readonly #gateway: SimGateway;
  readonly #machine: Attempt<NodeReply>;
  #timer: TimerHandle | null = null;

  constructor(gateway: SimGateway, method: MethodSpec) {
    this.#gateway = gateway;
    this.method = method;
    this.startedMs = gateway.world.nowMs;
    this.#machine = new Attempt<NodeReply>(this, gateway.shared);
  }

  start(): void {
    const { gateway, nowMs } = { gateway: this.#gateway, nowMs: this.#gateway.world.nowMs };
    const { table, ranker, plan } = gateway;
    const candidates = new Int32Array(table.serving.length);
    const ask = { keyHash: (plan.random() * 4294967296) >>> 0, affine: plan.random() < 0.7, nowMs, requiredBlock: -1, trustedBlock: -1, stateBlock: -1, racedHash: '' };
    const candidateCount = ranker.rank(table, this.method, ask, candidates);
    gateway.running.add(this);
    const deadlineMs = nowMs + plan.deadlineMs;
    this.#machine.start({ method: this.method, table, candidates, candidateCount, refusal: ranker.refusal, deadlineMs, hashSeen: plan.random() < 0.3 }, nowMs);
  }

  leave(): void {
    if (this.finishes > 0) return;
    this.gone = true;
    this.#machine.onGone();
  }

  onLeft(indices: readonly number[]): void {
    for (const index of indices) {
      const state = this.#gateway.table.entries[index]?.state;
      if (this.finishes === 0 && state !== undefined) this.#machine.onEjected(index, state, this.#gateway.world.nowMs);
    }
  }

  send(attempt: number, index: number, timeoutMs: number): void {
    const { world } = this.#gateway;
    const sent: Send = { attempt, index, sentMs: world.nowMs, over: false };
    this.sends.push(sent);
    this.#gateway.checks.onSend(this);
    const fate = this.#gateway.plan.nodes[index]?.serve(world.nowMs) ?? { atMs: world.nowMs, outcome: CANCELLED, isNull: false };
    if (!fate.outcome.unsent) this.reached++;
    const late = fate.atMs > world.nowMs + timeoutMs;
    world.after(late ? timeoutMs : fate.atMs - world.nowMs, () => this.#arrive(sent, late ? TIMEOUT : fate.outcome, fate.isNull));
  }

  cancel(attempt: number, why: CancelReason): void {
    const sent = this.sends.find((one) => one.attempt === attempt && !one.over);
    if (sent !== undefined) this.#count(sent, why === 'timeout' ? TIMEOUT : CANCELLED);
  }

  arm(atMs: number, nowMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#gateway.world.after(atMs - nowMs, () => {
      if (this.finishes === 0) this.#machine.onTimer(this.#gateway.world.nowMs);
    });
  }

  finish(result: AttemptResult<NodeReply>): void {
    this.finishes++;
    this.finishedMs = this.#gateway.world.nowMs;
    this.result = result;
    this.#timer?.cancel();
    this.#gateway.running.delete(this);
  }

  #arrive(sent: Send, outcome: Outcome, isNull: boolean): void {
    if (sent.over) return;
    this.#count(sent, outcome);
    const { nowMs } = this.#gateway.world;
    if (outcome.class === 'result') this.#machine.onAnswer(sent.attempt, outcome, { isNull }, nowMs);
    else this.#machine.onFailure(sent.attempt, outcome, nowMs);
  }

  #count(sent: Send, outcome: Outcome): void {
    sent.over = true;
    this.#gateway.count(sent.index, outcome, this.#gateway.world.nowMs - sent.sentMs);
  }
}
