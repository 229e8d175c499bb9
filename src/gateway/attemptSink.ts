import { classifyError } from '../chain/errors/classify.ts';
import { VERDICTS } from '../chain/errors/verdicts.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { CancelReason, NodeReply } from '../route/attemptPort.ts';
import { NO_ID, isNullResult, splitReply } from '../rpc/reply.ts';
import type { ErrorReply, ResultReply, SplitReply } from '../rpc/reply.ts';
import type { BodyFlow, CallSink, Exchange, FlowSink } from '../upstream/port.ts';
import { LargeProbe } from './largeProbe.ts';
import type { LargeReply, LargeStart } from './largeReply.ts';

/** A node's whole answer, split; or the beginning of a large one, whose result is handed on as it comes. */
export interface NodeAnswer extends NodeReply {
  readonly body: Buffer;
  readonly split: ResultReply | ErrorReply;
  readonly large?: LargeReply;
}

const RESULT: Outcome = Object.freeze({ class: 'result', retry: 'final', blame: false, unsent: false, holdMs: 0 });
const WRONG_ID: Outcome = Object.freeze({ class: 'wrongId', retry: 'other', blame: true, unsent: false, holdMs: 0 });
const TIMEOUT: Outcome = Object.freeze({ class: 'timeout', retry: 'other', blame: true, unsent: false, holdMs: 0 });
/** It never left: every slot stayed busy. */
const CROWDED: Outcome = Object.freeze({ class: 'timeout', retry: 'other', blame: false, unsent: true, holdMs: 0 });
const CANCELLED: Outcome = Object.freeze({ class: 'cancelled', retry: 'final', blame: false, unsent: false, holdMs: 0 });
const MISSING: Outcome = Object.freeze({ class: 'transport', retry: 'other', blame: false, unsent: true, holdMs: 0 });

/** The codes with which a node says that it could not even read our id. */
const ID_UNREAD = new Set([-32700, -32600]);

/** HTTP status of whoever is asked too often. */
const TOO_MANY = 429;

/** The call that an attempt belongs to. */
export interface AttemptOwner {
  readonly spec: MethodSpec;
  /** What keeps it on one node; 0 = nothing does. */
  readonly keyHash: number;
  /** An attempt ended with an answer of its node. */
  onAnswer(sink: AttemptSink, outcome: Outcome, answer: NodeAnswer): void;
  /** An attempt ended without one. */
  onFailure(sink: AttemptSink, outcome: Outcome): void;
  /** Counts how an attempt ended, for health and metrics. */
  record(sink: AttemptSink, outcome: Outcome): void;
  /** The answer to go on with, if it is taken as it comes; null = not now. */
  takeLarge?(sink: AttemptSink, start: LargeStart): NodeAnswer | null;
}

/** What an attempt is from its start. */
export interface AttemptFacts {
  readonly attempt: number;
  readonly upstreamIndex: number;
  /** Id of our own envelope. */
  readonly id: number;
  /** Another attempt of the call was still open when this one was sent. */
  readonly isHedge: boolean;
  readonly sentMs: number;
  /** See `CallSink`; Infinity by default. */
  readonly streamAboveBytes?: number;
}

/** One attempt under way: reads what the node says and tells the call what it came to. */
export class AttemptSink implements CallSink {
  readonly attempt: number;
  readonly upstreamIndex: number;
  readonly isHedge: boolean;
  readonly sentMs: number;
  exchange: Exchange | null = null;
  /** It has ended, or was given up. */
  over = false;
  answer: NodeAnswer | null = null;
  readonly id: number;
  streamAboveBytes: number;
  private probe: LargeProbe | null = null;
  private readonly run: AttemptOwner;

  constructor(run: AttemptOwner, facts: AttemptFacts) {
    this.run = run;
    this.attempt = facts.attempt;
    this.upstreamIndex = facts.upstreamIndex;
    this.id = facts.id;
    this.isHedge = facts.isHedge;
    this.sentMs = facts.sentMs;
    this.streamAboveBytes = facts.streamAboveBytes ?? Number.POSITIVE_INFINITY;
  }

  get method(): number {
    return this.run.spec.index;
  }

  get hash(): number {
    return this.run.keyHash;
  }

  get batchable(): boolean {
    return this.run.spec.batchable;
  }

  onReply(status: number, body: Buffer, retryAfterMs: number): void {
    if (!this.over) this.judge(body, splitReply(body), status, retryAfterMs);
  }

  onEntry(body: Buffer, entry: SplitReply): void {
    if (!this.over) this.judge(body, entry, 200, 0);
  }

  onLarge(pieces: readonly Buffer[], flow: BodyFlow): FlowSink | null {
    this.probe ??= new LargeProbe(this.id);
    const start = this.probe.look(pieces, flow);
    const answer = start === null ? null : (this.run.takeLarge?.(this, start) ?? null);
    const isDue = start !== null && start.scan.sizeBytes > this.streamAboveBytes;
    if (this.probe.hopeless || isDue) this.streamAboveBytes = Number.POSITIVE_INFINITY;
    if (answer?.large === undefined) return null;
    this.over = true;
    this.tell(RESULT, answer);
    // what has been handed on is not to be kept for as long as the rest takes
    this.answer = null;
    this.probe = null;
    if (!answer.large.taken) answer.large.drop();
    return answer.large;
  }

  private judge(body: Buffer, split: SplitReply, status: number, retryAfterMs: number): void {
    this.over = true;
    if (split.kind === 'bad') return this.run.onFailure(this, VERDICTS.badJson);
    const idIsOurs = split.id === this.id;
    if (split.kind === 'result') {
      if (!idIsOurs) return this.run.onFailure(this, WRONG_ID);
      return this.tell(RESULT, { body, split, isNull: isNullResult(body, split) });
    }
    // who is over a limit is refused unread by many a provider
    const idUnread = split.id === NO_ID && (status === TOO_MANY || ID_UNREAD.has(split.code));
    if (!idIsOurs && !idUnread) return this.run.onFailure(this, WRONG_ID);
    const told = classifyError(split.code === 0 ? -32000 : split.code, split.message, split.dataRaw, this.run.spec);
    const outcome = status === TOO_MANY && told.class !== 'throttled' ? VERDICTS.throttled : told;
    const shown = retryAfterMs > 0 && outcome.class === 'throttled' ? { ...outcome, holdMs: retryAfterMs } : outcome;
    this.tell(shown, { body, split, isNull: false });
  }

  onFailure(outcome: Outcome): void {
    if (this.over) return;
    this.over = true;
    this.run.onFailure(this, outcome);
  }

  /** The upstream was removed between the choice and the send. */
  onMissing(): void {
    this.onFailure(MISSING);
  }

  private tell(outcome: Outcome, answer: NodeAnswer): void {
    this.answer = answer;
    this.run.onAnswer(this, outcome, answer);
  }

  /** The machine gave the attempt up: free the connection, and count it by its reason. */
  giveUp(why: CancelReason): void {
    if (this.over) return;
    this.over = true;
    this.run.record(this, why !== 'timeout' ? CANCELLED : this.exchange?.waiting === true ? CROWDED : TIMEOUT);
    this.exchange?.cancel();
  }
}
