import { Fault } from '../base/fault.ts';
import type { CallAsk } from '../cache/rule.ts';
import type { BlockMark } from '../chain/head.ts';
import type { EdgeExchange, RequestSink } from '../edge/port.ts';
import type { Grant } from '../route/admission.ts';
import { scanBody } from '../rpc/scan.ts';
import type { ScannedBody, ScannedCall } from '../rpc/scan.ts';
import { faultAnswer, noContent } from './answers.ts';
import { BatchRun } from './batchRun.ts';
import { countStored, quickAnswer, storedEntry } from './cacheStep.ts';
import { CallRun } from './callRun.ts';
import { isRaceable, runOf } from './runOf.ts';
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
  /** The chain with a head that the client was told of before it is trusted; absent or null = it was not. */
  readonly raced?: Vantage | null;
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
  inBatch = false;
  streams = false;
  private readonly facts: RequestFacts;
  private readonly server: RequestHost;
  private readonly chain: ChainRuntime;
  private exchange: EdgeExchange | null = null;
  /** The vantage is of this moment. */
  private looked = false;
  private work: { abandon(): void } | null = null;
  private seesFrom: Vantage;
  /** The view that its call must not fall behind. */
  private raced: Vantage | null = null;

  constructor(server: RequestHost, chain: ChainRuntime, facts: RequestFacts) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
    this.grant = facts.grant;
    this.noCache = facts.noCache;
    this.seesFrom = chain.tip.last;
  }

  get vantage(): Vantage {
    return this.seesFrom;
  }

  set vantage(next: Vantage) {
    const { raced } = this;
    this.seesFrom = raced !== null && next.number < raced.number && next.epoch === raced.epoch ? raced : next;
  }

  subscription(call: ScannedCall): string | Fault {
    return this.facts.local === undefined ? new Fault('noSubscriptions') : this.facts.local(call, this.inBatch);
  }

  /** Only calls that stay with their client ask for it: a peer's address costs a system call. */
  get clientName(): string {
    return this.facts.clientName !== '' ? this.facts.clientName : (this.exchange?.remoteAddress() ?? '');
  }

  /** A request whose bytes were met before and whose answer is stored needs no reading. */
  glance(body: Uint8Array, exchange: EdgeExchange): boolean {
    const { chain, server } = this;
    const { seen, explains } = this.facts;
    if (this.grant !== null || this.noCache || explains || (seen !== null && !chain.tip.hasReached(seen))) return false;
    const vantage = this.look();
    const known = chain.glance.find(body, vantage, chain.policy, server.limits);
    if (known === null) return false;
    this.looked = false;
    this.exchange = exchange;
    const entry = storedEntry(chain, known.ask, known.call, vantage);
    if (entry === null) {
      this.streams = this.facts.local === undefined;
      this.send({ ...known.call, idRaw: chain.glance.idOf(body) }, known.ask);
    } else {
      countStored(server, chain, known.spec, entry.isError ? 'error' : 'result');
      exchange.answer(chain.glance.answer(body, entry, exchange.copiesBelow));
    }
    return true;
  }

  onBody(body: Buffer, exchange: EdgeExchange): void {
    this.exchange = exchange;
    const scanned = scanBody(body, this.server.limits);
    const { seen, raced } = this.facts;
    if (scanned.kind === 'fault') {
      this.look();
      this.refuse(scanned.fault, scanned.idRaw);
    } else if (raced != null && scanned.kind === 'single' && isRaceable(scanned.call.method)) {
      this.race(raced, scanned);
    } else if (seen !== null && !this.chain.tip.hasReached(seen)) {
      this.await(seen, scanned);
    } else {
      this.run(scanned, body);
    }
  }

  onGone(): void {
    this.server.parts.metrics.onClientGone();
    this.work?.abandon();
  }

  /** Goes by a head that only some nodes have: they are asked, and nothing that is stored will do. */
  private race(raced: Vantage, scanned: Calls): void {
    this.raced = raced;
    this.run(scanned);
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

  /** @param body where it was read from; absent = it is not kept in mind */
  private run(scanned: Calls, body?: Buffer): void {
    this.look();
    this.looked = false;
    if (scanned.kind === 'batch') return this.batch(scanned.calls);
    const { call } = scanned;
    this.streams = this.facts.local === undefined && call.idRaw !== null;
    if (this.facts.explains) this.trace = new CallTrace(this.server.parts.world.clock.nowMs());
    const quick = this.grant === null && !this.noCache && this.raced === null && this.trace === null ? quickAnswer(this.server, this.chain, call, this) : null;
    if (quick === null || !('body' in quick)) return this.send(call, quick);
    this.answerSingle(call, quick);
    if (body !== undefined && scanned.idAt > 0) this.learn(body, scanned.idAt, call);
  }

  /** Takes the chain as it is now, once for each decision. */
  private look(): Vantage {
    if (!this.looked) this.vantage = this.chain.tip.now();
    this.looked = true;
    return this.vantage;
  }

  private learn(body: Buffer, idAt: number, call: ScannedCall): void {
    const { chain, vantage } = this;
    const { policy } = chain;
    const { spec } = policy.decide(call.method);
    const ask = spec === null ? null : chain.cache.ask(call, spec, vantage);
    if (spec === null || ask === null) return;
    const headers = chain.headers.headers('', 'hit', vantage.text);
    chain.glance.learn(body, idAt, { vantage, policy, limits: this.server.limits }, { call, spec, ask, headers });
  }

  /** @param ask what the cache makes of it, which has no answer; null = the cache was not asked */
  private send(call: ScannedCall, ask: CallAsk | null): void {
    const run = runOf(this.server, this.chain, call, this);
    if (ask !== null && run instanceof CallRun) run.cached.tell(ask);
    this.work = run;
    run.start((answer) => this.answerSingle(call, answer));
  }

  private answerSingle(call: ScannedCall, answer: CallAnswer): void {
    this.work = null;
    if (call.idRaw === null) {
      this.exchange?.answer(noContent);
      return;
    }
    const { status, body, rest, upstream, retryAfterS, cache, flow } = answer;
    const headers = this.chain.headers.headers(upstream, cache, this.vantage.text, retryAfterS);
    const { trace } = this;
    const told = trace === null ? headers : [...headers, EXPLAIN_HEADER, trace.text(answer, this.server.parts.world.clock.nowMs())];
    if (flow !== undefined) this.exchange?.answer({ status, headers: told, body, flow });
    else this.exchange?.answer(rest === undefined ? { status, headers: told, body } : { status, headers: told, body, rest });
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
