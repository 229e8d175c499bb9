import type { Clock, TimerHandle, Timers } from '../base/clock.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { Outcome } from '../chain/outcome.ts';
import type { ChainConfig } from '../config/schema.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import type { LoadBook } from '../route/loadBook.ts';
import type { RouteTable } from '../route/table.ts';
import { requestEnvelope } from '../rpc/envelope.ts';
import { AttemptSink } from './attemptSink.ts';
import type { AttemptOwner, NodeAnswer } from './attemptSink.ts';
import type { Judging } from './judging.ts';
import type { UpstreamNode } from './node.ts';

/** One question to one node. */
export interface NodeQuestion {
  readonly upstreamIndex: number;
  readonly method: string;
  /** JSON array. */
  readonly paramsRaw: string;
}

/** The chain as such a call needs it. */
export interface CallChain {
  readonly config: ChainConfig;
  readonly catalog: Catalog;
  readonly book: LoadBook;
  readonly judging: Judging;
  readonly metrics: ChainMetrics;
  readonly table: RouteTable;
  node(upstreamIndex: number): UpstreamNode | undefined;
}

/** The process as such a call needs it. */
export interface CallServer {
  readonly parts: { readonly world: { readonly clock: Clock; readonly timers: Timers } };
  nextId(): number;
}

/** A call of ours, beside those of clients: to one node, once, for as long as an attempt may take there. Counted for its health as any other. */
export class NodeCall implements AttemptOwner {
  readonly spec: MethodSpec;
  readonly keyHash = 0;
  private readonly chain: CallChain;
  private readonly server: CallServer;
  private readonly done: (answer: NodeAnswer | null, outcome: Outcome) => void;
  private timer: TimerHandle | null = null;
  private isOver = false;

  /** @param done is called once, never from within this: with the answer, a result or an error, or null where there is none */
  constructor(chain: CallChain, server: CallServer, question: NodeQuestion, done: (answer: NodeAnswer | null, outcome: Outcome) => void) {
    this.chain = chain;
    this.server = server;
    this.done = done;
    this.spec = chain.catalog.find(question.method) ?? chain.catalog.unknownSpec;
    this.send(question);
  }

  onAnswer(sink: AttemptSink, outcome: Outcome, answer: NodeAnswer): void {
    this.chain.book.answered(sink.upstreamIndex);
    this.record(sink, outcome);
    this.end(answer, outcome);
  }

  onFailure(sink: AttemptSink, outcome: Outcome): void {
    this.record(sink, outcome);
    this.end(null, outcome);
  }

  record(sink: AttemptSink, outcome: Outcome): void {
    const nowMs = this.server.parts.world.clock.nowMs();
    const tookMs = nowMs - sink.sentMs;
    this.chain.book.ended(sink.upstreamIndex);
    this.chain.judging.onOutcome(sink.upstreamIndex, outcome, tookMs, nowMs);
    this.chain.metrics.onUpstream(sink.upstreamIndex, outcome.class, tookMs);
    if (sink.over && outcome.class === 'timeout') this.end(null, outcome);
  }

  private send({ upstreamIndex, method, paramsRaw }: NodeQuestion): void {
    const { chain, server } = this;
    const nowMs = server.parts.world.clock.nowMs();
    const id = server.nextId();
    const sink = new AttemptSink(this, { attempt: 0, upstreamIndex, id, isHedge: false, sentMs: nowMs });
    chain.book.sent(upstreamIndex, nowMs, this.spec.weight);
    const node = chain.node(upstreamIndex);
    if (node === undefined) {
      queueMicrotask(() => sink.onMissing());
      return;
    }
    const timeoutMs = chain.table.entries[upstreamIndex]?.attemptTimeoutMs ?? chain.config.routing.attemptTimeout.maxMs;
    this.timer = server.parts.world.timers.after(timeoutMs, () => sink.giveUp('timeout'));
    sink.exchange = node.client.call(requestEnvelope(id, method, paramsRaw), sink);
  }

  private end(answer: NodeAnswer | null, outcome: Outcome): void {
    if (this.isOver) return;
    this.isOver = true;
    this.timer?.cancel();
    this.done(answer, outcome);
  }
}

/** The bytes of an answer's result as a string; '' where it is an error. */
export function resultText(answer: NodeAnswer | null): string {
  if (answer === null || answer.split.kind !== 'result') return '';
  return answer.body.toString('utf8', answer.split.start, answer.split.end);
}
