import { Fault } from '../base/fault.ts';
import type { BlockMark } from '../chain/head.ts';
import type { EdgeExchange, RequestSink } from '../edge/port.ts';
import type { Grant } from '../route/admission.ts';
import { scanBody } from '../rpc/scan.ts';
import type { ScannedBody, ScannedCall } from '../rpc/scan.ts';
import { faultAnswer, noContent } from './answers.ts';
import { BatchRun } from './batchRun.ts';
import { quickAnswer } from './cacheStep.ts';
import { CallRun } from './callRun.ts';
import { runOf } from './runOf.ts';
import type { CallAnswer } from './callFacts.ts';
import { CallTrace, EXPLAIN_HEADER } from './callTrace.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, RequestHost } from './context.ts';
import type { Vantage } from './vantage.ts';

/** A body that is no fault as a whole. */
type Calls = Exclude<ScannedBody, { readonly kind: 'fault' }>;

/** What the head of a request tells. */
export interface RequestFacts {
  /** What is known of the client's name; '' = its peer address is its name. */
  readonly clientName: string;
  readonly grant: Grant | null;
  /** A block that the client has seen: it is shown no older view. */
  readonly seen: BlockMark | null;
  /** Wants to be told the way of its call, and may. */
  readonly explains: boolean;
  /** Answers `eth_subscribe` and `eth_unsubscribe` with raw JSON; absent = there are no notices here. */
  readonly local?: (call: ScannedCall, inBatch: boolean) => string | Fault;
  readonly noCache: boolean;
}

/** One request, over HTTP or as a message of a WebSocket: a single call or a batch. */
export class RequestRun implements RequestSink, Client {
  readonly grant: Grant | null;
  readonly noCache: boolean;
  trace: CallTrace | null = null;
  vantage: Vantage;
  inBatch = false;
  private readonly facts: RequestFacts;
  private readonly server: RequestHost;
  private readonly chain: ChainRuntime;
  private exchange: EdgeExchange | null = null;
  private work: { abandon(): void } | null = null;

  constructor(server: RequestHost, chain: ChainRuntime, facts: RequestFacts) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
    this.grant = facts.grant;
    this.noCache = facts.noCache;
    this.vantage = chain.tip.now();
  }

  subscription(call: ScannedCall): string | Fault {
    return this.facts.local === undefined ? new Fault('noSubscriptions') : this.facts.local(call, this.inBatch);
  }

  /** Only calls that stay with their client ask for it: a peer's address costs a system call. */
  get clientName(): string {
    return this.facts.clientName !== '' ? this.facts.clientName : (this.exchange?.remoteAddress() ?? '');
  }

  onBody(body: Buffer, exchange: EdgeExchange): void {
    this.exchange = exchange;
    const scanned = scanBody(body, this.server.limits);
    if (scanned.kind === 'fault') this.refuse(scanned.fault, scanned.idRaw);
    else if (this.facts.seen !== null && !this.chain.tip.hasReached(this.facts.seen)) this.await(this.facts.seen, scanned);
    else this.run(scanned);
  }

  onGone(): void {
    this.server.parts.metrics.onClientGone();
    this.work?.abandon();
  }

  /** Waits for a block that the client has seen elsewhere. */
  private await(seen: BlockMark, scanned: Calls): void {
    const { chain, server } = this;
    server.inFlight++;
    const wait = chain.tip.wait(() => chain.tip.hasReached(seen), chain.config.view.maxWaitMs, (reached) => {
      server.inFlight--;
      this.work = null;
      if (reached) return this.run(scanned);
      chain.metrics.view.onEvent('min_block_refused');
      this.vantage = chain.tip.now();
      this.refuse(new Fault('minBlock', '', null, 1), scanned.kind === 'single' ? (scanned.call.idRaw ?? 'null') : 'null');
    });
    this.work = {
      abandon: () => {
        server.inFlight--;
        wait.cancel();
      },
    };
  }

  private refuse(fault: Fault, idRaw: string): void {
    this.server.parts.metrics.onRefusal(fault.spec.kind);
    this.exchange?.answer(faultAnswer(fault, idRaw, this.vantage.text));
  }

  private run(scanned: Calls): void {
    this.vantage = this.chain.tip.now();
    if (scanned.kind === 'single') this.single(scanned.call);
    else this.batch(scanned.calls);
  }

  private single(call: ScannedCall): void {
    if (this.facts.explains) this.trace = new CallTrace(this.server.parts.world.clock.nowMs());
    const quick = this.grant === null && !this.noCache && this.trace === null ? quickAnswer(this.server, this.chain, call, this.vantage) : null;
    if (quick !== null && 'body' in quick) return this.answerSingle(call, quick);
    const run = runOf(this.server, this.chain, call, this);
    if (quick !== null && run instanceof CallRun) run.cached.tell(quick);
    this.work = run;
    run.start((answer) => this.answerSingle(call, answer));
  }

  private answerSingle(call: ScannedCall, answer: CallAnswer): void {
    this.work = null;
    if (call.idRaw === null) {
      this.exchange?.answer(noContent);
      return;
    }
    const { status, body, upstream, retryAfterS, cache } = answer;
    const headers = this.chain.headers.headers(upstream, cache, this.vantage.text, retryAfterS);
    const { trace } = this;
    const told = trace === null ? headers : [...headers, EXPLAIN_HEADER, trace.text(answer, this.server.parts.world.clock.nowMs())];
    this.exchange?.answer({ status, headers: told, body });
  }

  private batch(calls: readonly ScannedCall[]): void {
    this.server.parts.metrics.onBatch(calls.length);
    this.inBatch = true;
    const run = new BatchRun(this.server, this.chain, calls, this);
    this.work = run;
    run.start((body) => {
      this.work = null;
      this.exchange?.answer(body === null ? noContent : { status: 200, headers: this.chain.headers.headers('', run.cache, this.vantage.text), body });
    });
  }
}
