import type { Clock, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Head } from '../chain/head.ts';
import type { ChainConfig, UpstreamConfig } from '../config/schema.ts';
import type { ProbeResult } from '../health/probe.ts';
import type { Logger } from '../observe/log.ts';
import { HeadSocket } from '../upstream/heads.ts';
import { HttpUpstream } from '../upstream/http.ts';
import { PROBE_EVERY, Prober } from '../upstream/probe.ts';

/** What every part of the gateway is given of the outside world. */
export interface GatewayWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What a node tells its chain. */
export interface NodeListener {
  onProbe(result: ProbeResult): void;
  onHead(head: Head): void;
  blockTimeMs(): number;
}

/** Connections of a probe's own client: a probe asks a few things at once. */
const PROBE_CONNECTIONS = 11;
const HEADS = { readyTimeoutMs: 5_000, maxPayloadBytes: 1_048_576, backoff: { baseMs: 250, maxMs: 10_000 } };

/** How long idle connections to a node are kept. */
const NODE_KEEP_ALIVE_MS = 4_000;

/** One configured upstream with its sockets: the client for calls, another for probes, the stream of heads. */
export class UpstreamNode {
  readonly name: string;
  readonly client: HttpUpstream;
  private readonly probeClient: HttpUpstream;
  private readonly prober: Prober;
  private readonly heads: HeadSocket | null;
  private readonly listener: NodeListener;
  private probing = false;
  private closed = false;

  constructor(config: UpstreamConfig, chain: ChainConfig, maxResponseBytes: number, parts: { world: GatewayWorld; listener: NodeListener }) {
    const { world, listener } = parts;
    this.name = config.name;
    this.listener = listener;
    const common = {
      name: config.name,
      url: config.http,
      headers: config.headers,
      connectTimeoutMs: chain.routing.connectTimeoutMs,
      maxResponseBytes,
      keepAliveTimeoutMs: NODE_KEEP_ALIVE_MS,
    };
    this.client = new HttpUpstream({ ...common, connections: config.connections, maxWaiting: config.maxInFlight }, world);
    this.probeClient = new HttpUpstream({ ...common, connections: PROBE_CONNECTIONS, maxWaiting: PROBE_CONNECTIONS }, world);
    this.prober = new Prober(this.probeClient, { timeoutMs: chain.health.probeTimeoutMs, every: PROBE_EVERY }, world.clock);
    this.heads = config.ws === undefined ? null : this.openHeads(config.ws, config.headers, world);
    this.heads?.start();
  }

  /** Starts a probe unless one is under way. `numbers` = heights whose hashes are to be compared. */
  probe(numbers: readonly number[]): void {
    if (this.probing || this.closed) return;
    this.probing = true;
    void this.prober.probe(numbers).then((result) => {
      this.probing = false;
      if (!this.closed) this.listener.onProbe(result);
    });
  }

  /** Calls under way may finish within `graceMs`; nothing more is told to the listener. May be called again with less time. */
  async close(graceMs: number): Promise<void> {
    this.closed = true;
    this.heads?.close();
    await Promise.all([this.client.close(graceMs), this.probeClient.close(0)]);
  }

  private openHeads(url: string, headers: Readonly<Record<string, string>>, world: GatewayWorld): HeadSocket {
    const { listener, name } = this;
    const ports = { timers: world.timers, random: world.random, blockTimeMs: () => listener.blockTimeMs() };
    return new HeadSocket({ url, headers, ...HEADS }, ports, {
      onUp: () => this.probe([]),
      onHead: (head) => listener.onHead(head),
      onDown: (reason) => world.log.debug({ upstream: name, reason }, 'head stream lost'),
      onMalformed: (detail) => world.log.warn({ upstream: name, detail }, 'head stream sent something else'),
    });
  }
}
