import type { Head } from '../chain/head.ts';
import type { ChainConfig, UpstreamConfig } from '../config/schema.ts';
import type { ProbeResult } from '../health/probe.ts';
import { HeadSocket, quietMs } from '../upstream/heads.ts';
import { HttpUpstream } from '../upstream/http.ts';
import { PendingSocket } from '../upstream/pending.ts';
import { PROBE_EVERY, Prober } from '../upstream/probe.ts';
import { askNode } from './nodeQuestion.ts';
import type { NodeWord, Question } from './nodeQuestion.ts';
import type { PendingSource } from './pendingFollow.ts';
import { PendingPoll } from './pendingPoll.ts';
import { NODE_KEEP_ALIVE_MS } from './node.ts';
import type { GatewayWorld } from './node.ts';

/** What a node tells whoever watches it. */
export interface NodeListener {
  /** @param calls how many calls the probe was */
  onProbe(result: ProbeResult, calls: number): void;
  /** @param header as the node sent it */
  onHead(head: Head, header: unknown): void;
  blockTimeMs(): number;
}

/** Connections of a probe's own client: a probe asks a few things at once. */
const PROBE_CONNECTIONS = 11;
/** Questions about blocks for subscribers: few at once, and not in the way of probes. */
const BLOCK_CONNECTIONS = 8;
const BLOCK_WAITING = 256;
const HEADS = { readyTimeoutMs: 5_000, maxPayloadBytes: 1_048_576, backoff: { baseMs: 250, maxMs: 10_000 } };

/** Watches one configured upstream: probes, and the stream of its heads. Calls go by `UpstreamNode`. */
export class NodeWatch {
  readonly name: string;
  private readonly client: HttpUpstream;
  private readonly blocks: HttpUpstream;
  private readonly prober: Prober;
  private readonly heads: HeadSocket | null;
  private readonly listener: NodeListener;
  private readonly pending: { readonly world: GatewayWorld; readonly ws: string | undefined; readonly headers: Readonly<Record<string, string>> };
  private probing = false;
  private closed = false;

  constructor(config: UpstreamConfig, chain: ChainConfig, maxResponseBytes: number, parts: { world: GatewayWorld; listener: NodeListener }) {
    const { world, listener } = parts;
    this.name = config.name;
    this.listener = listener;
    this.pending = { world, ws: config.ws, headers: config.headers };
    const { connectTimeoutMs } = chain.routing;
    const common = { name: config.name, url: config.http, headers: config.headers, connectTimeoutMs, maxResponseBytes, keepAliveTimeoutMs: NODE_KEEP_ALIVE_MS };
    this.client = new HttpUpstream({ ...common, connections: PROBE_CONNECTIONS, maxWaiting: PROBE_CONNECTIONS }, world);
    this.blocks = new HttpUpstream({ ...common, connections: BLOCK_CONNECTIONS, maxWaiting: BLOCK_WAITING }, world);
    this.prober = new Prober(this.client, { timeoutMs: chain.health.probeTimeoutMs, every: PROBE_EVERY }, world.clock);
    this.heads = config.ws === undefined ? null : this.openHeads(config.ws, config.headers, world);
    this.heads?.start();
  }

  /** Starts a probe unless one is under way. `numbers` = heights whose hashes are to be compared. */
  probe(numbers: readonly number[]): void {
    if (this.probing || this.closed) return;
    this.probing = true;
    void this.prober.probe(numbers).then((result) => {
      this.probing = false;
      if (!this.closed) this.listener.onProbe(result, this.prober.calls);
    });
  }

  /** Puts a question of our own to the node. @param done is called once, never within this call */
  ask(question: Question, timeoutMs: number, done: (word: NodeWord) => void): void {
    askNode(this.blocks, question, timeoutMs, done);
  }

  /** Listens to its pending transactions, by WebSocket where it has one. @param ask puts a question to it */
  listen(ask: (question: Question, done: (word: NodeWord) => void) => void, onHash: (hash: string) => void): PendingSource {
    const { world, ws, headers } = this.pending;
    const { timers, random } = world;
    const source =
      ws === undefined
        ? new PendingPoll(timers, ask, onHash)
        : new PendingSocket({ url: ws, headers, ...HEADS }, { timers, random, quietMs: () => quietMs(this.listener.blockTimeMs()) }, onHash);
    source.start();
    return source;
  }

  /** Nothing more is told to the listener. */
  async close(): Promise<void> {
    this.closed = true;
    this.heads?.close();
    await Promise.all([this.client.close(0), this.blocks.close(0)]);
  }

  private openHeads(url: string, headers: Readonly<Record<string, string>>, world: GatewayWorld): HeadSocket {
    const { listener, name } = this;
    const ports = { timers: world.timers, random: world.random, blockTimeMs: () => listener.blockTimeMs() };
    return new HeadSocket({ url, headers, ...HEADS }, ports, {
      onUp: () => this.probe([]),
      onHead: (head, header) => listener.onHead(head, header),
      onDown: (reason) => world.log.debug({ upstream: name, reason }, 'head stream lost'),
      onMalformed: (detail) => world.log.warn({ upstream: name, detail }, 'head stream sent something else'),
    });
  }
}
