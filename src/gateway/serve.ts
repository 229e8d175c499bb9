import { Fault } from '../base/fault.ts';
import type { BlockMark } from '../chain/head.ts';
import { readMinBlock } from '../chain/minBlock.ts';
import type { AccessConfig, Config, ServerConfig } from '../config/schema.ts';
import type { EdgeAnswer, EdgeExchange, EdgeHandler, RequestHead, RequestSink } from '../edge/port.ts';
import type { LogFields } from '../observe/log.ts';
import type { Grant } from '../route/admission.ts';
import { scanBody } from '../rpc/scan.ts';
import type { ScanLimits, ScannedBody, ScannedCall } from '../rpc/scan.ts';
import { ClientAddress } from './clientAddress.ts';
import { faultAnswer, noContent } from './answers.ts';
import { BatchRun } from './batchRun.ts';
import { quickAnswer } from './cacheStep.ts';
import { CallRun } from './callRun.ts';
import type { CallAnswer } from './callFacts.ts';
import { CallTrace, EXPLAIN_HEADER } from './callTrace.ts';
import type { ChainRuntime } from './chain.ts';
import { Gate } from './gate.ts';
import type { Client, ServeContext, ServeParts } from './context.ts';
import type { Vantage } from './vantage.ts';

const unauthorized = faultAnswer(new Fault('unauthorized'), 'null');
/** Requests refused before their body is read. */
const REFUSALS = {
  notFound: faultAnswer(new Fault('notFound'), 'null'),
  overloaded: faultAnswer(new Fault('overloaded'), 'null'),
  unauthorized: { ...unauthorized, headers: [...unauthorized.headers, 'www-authenticate', 'Bearer'] },
  forbidden: faultAnswer(new Fault('forbidden'), 'null'),
  minBlockForm: faultAnswer(new Fault('minBlockForm'), 'null'),
} as const;
type Refusal = keyof typeof REFUSALS;

/**
 * The order in which a request is served: admit, scan, look up, route, forward, judge, answer, record.
 * Admission is here; scan and answer in `RequestRun`; the rest, per call, in `CallRun`.
 */
export class Server implements EdgeHandler, ServeContext {
  parts: ServeParts;
  limits: ScanLimits;
  /** Calls under way. */
  inFlight = 0;
  private clients: ClientAddress;
  private lastId = 0;
  private unsampled = 0;
  private gate: Gate<ChainRuntime> | null = null;

  constructor(parts: ServeParts) {
    this.parts = parts;
    this.clients = new ClientAddress(parts.server.trustedProxies);
    this.setAccess(parts.access);
    this.limits = scanLimits(parts.server);
  }

  onRequest(head: RequestHead): RequestSink | EdgeAnswer {
    const entry = this.gate === null ? null : this.gate.admit(head);
    if (entry instanceof Fault) return this.refuse(entry.spec.kind as Refusal);
    const chain = entry === null ? this.parts.paths.find(head.path) : entry.chain;
    if (chain === undefined) return this.refuse('notFound');
    if (this.inFlight >= this.parts.server.maxInFlight) return this.refuse('overloaded');
    const keyName = entry === null ? '' : entry.keyName;
    const seen = head.minBlock === '' ? null : readMinBlock(head.minBlock);
    if (seen === null && head.minBlock !== '') return this.refuse('minBlockForm');
    const { needsHead } = this.clients;
    const clientName = needsHead && keyName === '' && chain.usesClientAffinity ? this.clients.of(head) : keyName;
    const mayExplain = entry === null ? this.parts.server.explainHeader : entry.explains;
    const explains = mayExplain && head.header(EXPLAIN_HEADER) === '1';
    return new RequestRun(this, chain, { clientName, grant: entry === null ? null : entry.grant, seen, explains, noCache: refusesCache(head) });
  }

  /** Takes over who may call. Limits start anew; calls under way still count against the old ones. */
  setAccess(access: AccessConfig): void {
    this.gate = Gate.of(access, this.parts.paths, (head) => this.clients.of(head));
  }

  /** Takes over limits and who may call; requests under way keep what they have passed already. */
  reload({ server, access, log }: Config): void {
    const isAccessNew = JSON.stringify(access) !== JSON.stringify(this.parts.access);
    this.parts = { ...this.parts, server, access, sampleEvery: log.sampleEvery };
    this.clients = new ClientAddress(server.trustedProxies);
    this.limits = scanLimits(server);
    if (isAccessNew) this.setAccess(access);
  }

  /** An id for a call of ours to a node; unique among those under way. */
  nextId(): number {
    this.lastId = this.lastId >= 0x7fffffff ? 1 : this.lastId + 1;
    return this.lastId;
  }

  /** Logs each Nth call, where the config asks for it: what was called and how it ended, never its params. */
  sample(facts: LogFields): void {
    if (this.parts.sampleEvery === 0 || ++this.unsampled < this.parts.sampleEvery) return;
    this.unsampled = 0;
    this.parts.world.log.info(facts, 'sampled call');
  }

  private refuse(kind: Refusal): EdgeAnswer {
    this.parts.metrics.onRefusal(kind);
    return REFUSALS[kind];
  }
}

/** A body that is no fault as a whole. */
type Calls = Exclude<ScannedBody, { readonly kind: 'fault' }>;

const scanLimits = ({ maxBatchItems, maxDepth, maxMethodBytes }: ServerConfig): ScanLimits => ({ maxBatchItems, maxDepth, maxMethodBytes });

/** `cache-control: no-cache` or `no-store`: a node is to answer, and its answer is not stored. */
const refusesCache = (head: RequestHead): boolean => {
  const wish = head.header('cache-control');
  return wish !== '' && /\bno-(?:cache|store)\b/i.test(wish);
};

/** What the head of a request tells. */
interface RequestFacts {
  /** What is known of the client's name; '' = its peer address is its name. */
  readonly clientName: string;
  readonly grant: Grant | null;
  /** A block that the client has seen: it is shown no older view. */
  readonly seen: BlockMark | null;
  /** Wants to be told the way of its call, and may. */
  readonly explains: boolean;
  readonly noCache: boolean;
}

/** One HTTP request: a single call or a batch. */
class RequestRun implements RequestSink, Client {
  readonly grant: Grant | null;
  readonly noCache: boolean;
  trace: CallTrace | null = null;
  vantage: Vantage;
  inBatch = false;
  private readonly facts: RequestFacts;
  private readonly server: Server;
  private readonly chain: ChainRuntime;
  private exchange: EdgeExchange | null = null;
  private work: { abandon(): void } | null = null;

  constructor(server: Server, chain: ChainRuntime, facts: RequestFacts) {
    this.server = server;
    this.chain = chain;
    this.facts = facts;
    this.grant = facts.grant;
    this.noCache = facts.noCache;
    this.vantage = chain.tip.now();
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
    const run = new CallRun(this.server, this.chain, call, this);
    if (quick !== null) run.cached.tell(quick);
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
