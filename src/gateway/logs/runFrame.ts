import type { TimerHandle } from '../../base/clock.ts';
import { Fault } from '../../base/fault.ts';
import type { FaultKind } from '../../base/fault.ts';
import type { MethodSpec } from '../../chain/method.ts';
import type { RequestOutcome } from '../../observe/metricTable.ts';
import type { Grant } from '../../route/admission.ts';
import { errorEnvelope } from '../../rpc/envelope.ts';
import type { ScannedCall } from '../../rpc/scan.ts';
import type { ChainRuntime } from '../chain.ts';
import type { CallAnswer } from '../callFacts.ts';
import type { Client, ServeContext } from '../context.ts';
import { holdFor } from '../largeCall.ts';

/** Whose call it is, and what it calls. */
export interface FrameFacts {
  readonly call: ScannedCall;
  readonly spec: MethodSpec;
  readonly client: Client;
}

/** Beginning and end of a client's call that the edge itself answers: limits, deadline, counts. */
export class RunFrame {
  live = false;
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly facts: FrameFacts;
  private readonly startedMs: number;
  private readonly isPart: boolean;
  private entered: Grant | null = null;
  private timer: TimerHandle | null = null;
  private done: (answer: CallAnswer) => void = () => undefined;
  private stop: () => void = () => undefined;

  /** @param isPart it is part of a call that has a frame of its own: it is not counted */
  constructor(server: ServeContext, chain: ChainRuntime, facts: FrameFacts, isPart = false) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
    this.isPart = isPart;
    this.startedMs = server.parts.world.clock.nowMs();
  }

  get idRaw(): string {
    return this.facts.call.idRaw ?? 'null';
  }

  /** @param stop ends what is under way. @returns false where the call was refused */
  begin(done: (answer: CallAnswer) => void, stop: () => void): boolean {
    const { call, spec, client } = this.facts;
    this.done = done;
    this.stop = stop;
    this.live = true;
    if (this.isPart) return true;
    this.server.inFlight++;
    const fault = client.grant?.enter(call, spec.weight, this.startedMs) ?? null;
    if (fault !== null) {
      this.refuse(fault);
      return false;
    }
    this.entered = client.grant;
    this.timer = this.server.parts.world.timers.after(this.chain.config.routing.deadlineMs, () => {
      this.stop();
      this.refuse(new Fault('deadline'));
    });
    return true;
  }

  /** The client is gone. */
  abandon(): void {
    this.done = () => undefined;
    this.stop();
    this.close('gone');
  }

  /** Goes on as another call. */
  leave(): void {
    this.live = false;
    this.done = () => undefined;
  }

  end(answer: CallAnswer): void {
    const { done } = this;
    if (!this.live) return;
    if (answer.flow !== undefined && !this.isPart) this.entered = holdFor(answer.flow, this.server, this.entered);
    this.close(answer.outcome);
    done(answer);
  }

  refuse(fault: Fault): void {
    const { spec, retryAfterS } = fault;
    this.end({ status: spec.status, body: errorEnvelope(this.idRaw, fault), upstream: '', retryAfterS, outcome: spec.kind as FaultKind, cache: 'bypass' });
  }

  /** A bug. */
  fail(error: unknown): void {
    this.server.parts.world.log.error({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }, 'a call failed: this is a bug');
    this.refuse(new Fault('internal'));
  }

  private close(outcome: RequestOutcome): void {
    if (!this.live) return;
    this.live = false;
    this.done = () => undefined;
    if (this.isPart) return;
    this.timer?.cancel();
    this.server.inFlight--;
    this.entered?.leave();
    const tookMs = this.server.parts.world.clock.nowMs() - this.startedMs;
    const { spec } = this.facts;
    this.chain.metrics.onRequest(spec.index, outcome, tookMs);
    if (this.server.parts.sampleEvery > 0) this.server.sample({ chain: this.chain.name, method: spec.name, outcome, tookMs, attempts: 0 });
  }
}
