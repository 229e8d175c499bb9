import type { Head } from '../chain/head.ts';
import type { ChainConfig, UpstreamConfig } from '../config/schema.ts';
import type { ProbeResult } from '../health/probe.ts';
import { HeadSocket } from '../upstream/heads.ts';
import { HttpUpstream } from '../upstream/http.ts';
import { PROBE_EVERY, Prober } from '../upstream/probe.ts';
import { NODE_KEEP_ALIVE_MS } from './node.ts';
import type { GatewayWorld } from './node.ts';

/** What a node tells whoever watches it. */
export interface NodeListener {
  /** @param calls how many calls the probe was */
  onProbe(result: ProbeResult, calls: number): void;
  onHead(head: Head): void;
  blockTimeMs(): number;
}

/** Connections of a probe's own client: a probe asks a few things at once. */
const PROBE_CONNECTIONS = 11;
const HEADS = { readyTimeoutMs: 5_000, maxPayloadBytes: 1_048_576, backoff: { baseMs: 250, maxMs: 10_000 } };

/** Watches one configured upstream: probes, and the stream of its heads. Calls go by `UpstreamNode`. */
export class NodeWatch {
  readonly name: string;
  private readonly client: HttpUpstream;
  private readonly prober: Prober;
  private readonly heads: HeadSocket | null;
  private readonly listener: NodeListener;
  private probing = false;
  private closed = false;

  constructor(config: UpstreamConfig, chain: ChainConfig, maxResponseBytes: number, parts: { world: GatewayWorld; listener: NodeListener }) {
    const { world, listener } = parts;
    this.name = config.name;
    this.listener = listener;
    this.client = new HttpUpstream(
      {
        name: config.name,
        url: config.http,
        headers: config.headers,
        connectTimeoutMs: chain.routing.connectTimeoutMs,
        maxResponseBytes,
        keepAliveTimeoutMs: NODE_KEEP_ALIVE_MS,
        connections: PROBE_CONNECTIONS,
        maxWaiting: PROBE_CONNECTIONS,
      },
      world,
    );
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

  /** Nothing more is told to the listener. */
  async close(): Promise<void> {
    this.closed = true;
    this.heads?.close();
    await this.client.close(0);
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
