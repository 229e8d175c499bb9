import { Fault } from '../base/fault.ts';
import { readMinBlock } from '../chain/minBlock.ts';
import type { AccessConfig, Config, ServerConfig } from '../config/schema.ts';
import type { EdgeAnswer, EdgeHandler, RequestHead, RequestSink, SocketSink } from '../edge/port.ts';
import type { LogFields } from '../observe/log.ts';
import type { ScanLimits } from '../rpc/scan.ts';
import { ClientAddress } from './clientAddress.ts';
import { faultAnswer } from './answers.ts';
import { EXPLAIN_HEADER } from './callTrace.ts';
import type { ChainRuntime } from './chain.ts';
import { Gate, networkOf } from './gate.ts';
import { RequestRun } from './requestRun.ts';
import { SocketCounts } from './socketCounts.ts';
import { SocketRun } from './socketRun.ts';
import type { RequestHost, ServeParts } from './context.ts';

const unauthorized = faultAnswer(new Fault('unauthorized'), 'null');
/** Requests refused before their body is read. */
const REFUSALS = {
  notFound: faultAnswer(new Fault('notFound'), 'null'),
  overloaded: faultAnswer(new Fault('overloaded'), 'null'),
  unauthorized: { ...unauthorized, headers: [...unauthorized.headers, 'www-authenticate', 'Bearer'] },
  forbidden: faultAnswer(new Fault('forbidden'), 'null'),
  tooManySubscriptions: faultAnswer(new Fault('tooManySubscriptions'), 'null'),
  minBlockForm: faultAnswer(new Fault('minBlockForm'), 'null'),
} as const;
type Refusal = keyof typeof REFUSALS;

/**
 * The order in which a request is served: admit, scan, look up, route, forward, judge, answer, record.
 * Admission is here; scan and answer in `RequestRun`; the rest, per call, in `CallRun`.
 */
export class Server implements EdgeHandler, RequestHost {
  parts: ServeParts;
  limits: ScanLimits;
  /** Calls under way. */
  inFlight = 0;
  private clients: ClientAddress;
  private lastId = 0;
  private unsampled = 0;
  private gate: Gate<ChainRuntime> | null = null;
  private readonly socketsPerIp: SocketCounts;
  private readonly socketsPerKey: SocketCounts;

  constructor(parts: ServeParts) {
    this.parts = parts;
    this.clients = new ClientAddress(parts.server.trustedProxies);
    this.setAccess(parts.access);
    this.limits = scanLimits(parts.server);
    this.socketsPerIp = new SocketCounts(parts.server.webSocket.maxConnectionsPerIp);
    this.socketsPerKey = new SocketCounts(parts.server.webSocket.maxConnectionsPerKey);
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

  onUpgrade(head: RequestHead): SocketSink | EdgeAnswer {
    const entry = this.gate === null ? null : this.gate.admit(head);
    if (entry instanceof Fault) return this.refuse(entry.spec.kind as Refusal);
    const chain = entry === null ? this.parts.paths.find(head.path) : entry.chain;
    if (chain === undefined) return this.refuse('notFound');
    const keyName = entry === null ? '' : entry.keyName;
    const address = this.clients.of(head);
    const network = networkOf(address);
    if (!this.socketsPerIp.enter(network)) return this.refuse('tooManySubscriptions');
    if (!this.socketsPerKey.enter(keyName)) {
      this.socketsPerIp.leave(network);
      return this.refuse('tooManySubscriptions');
    }
    const leave = (): void => {
      this.socketsPerIp.leave(network);
      this.socketsPerKey.leave(keyName);
    };
    return new SocketRun(this, chain, { clientName: keyName === '' ? address : keyName, grant: entry === null ? null : entry.grant, leave });
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

const scanLimits = ({ maxBatchItems, maxDepth, maxMethodBytes }: ServerConfig): ScanLimits => ({ maxBatchItems, maxDepth, maxMethodBytes });

/** `cache-control: no-cache` or `no-store`: a node is to answer, and its answer is not stored. */
const refusesCache = ({ cacheControl }: RequestHead): boolean => cacheControl !== '' && /\bno-(?:cache|store)\b/i.test(cacheControl);
