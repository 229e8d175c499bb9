import type { Clock, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../observe/log.ts';
import type { ChainMetrics } from '../observe/metrics.ts';
import { Sharing } from '../route/sharing.ts';
import { HttpUpstream } from '../upstream/http.ts';
import type { Refusal } from '../upstream/shared.ts';
import { SocketTransport } from '../upstream/transport.ts';
import type { EventFeed } from './eventFeed.ts';
import type { SecondTier } from './secondTier.ts';
import type { Seat } from './judging.ts';

/** What every part of the gateway is given of the outside world. */
export interface GatewayWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** Where final answers of all chains are kept beyond this process; absent = nowhere. */
  readonly tier?: SecondTier | null;
  /** Hears of what readers of the admin port are told; absent = nobody reads. */
  readonly events?: Pick<EventFeed, 'tell'>;
}

/** What an upstream needs beside its configuration. */
export interface NodeParts {
  readonly world: GatewayWorld;
  readonly metrics: ChainMetrics;
  /** How many methods the catalogue has. */
  readonly methods: number;
}

/** How long idle connections to a node are kept. */
export const NODE_KEEP_ALIVE_MS = 4_000;

/** One configured upstream as calls reach it. What watches its health is `NodeWatch`. */
export class UpstreamNode {
  readonly name: string;
  readonly client: HttpUpstream | SocketTransport;

  constructor(seat: Seat, parts: NodeParts) {
    const { name, ws, transport } = seat.config;
    this.name = name;
    const http = openHttp(seat, parts);
    this.client = ws === undefined || transport === 'http' ? http : openSockets(seat, { ...parts, http, url: ws, mode: transport });
  }

  /** Calls under way may finish within `graceMs`. May be called again with less time. */
  async close(graceMs: number): Promise<void> {
    await this.client.close(graceMs);
  }
}

function openHttp({ config, index, connectTimeoutMs, maxResponseBytes }: Seat, { world, metrics, methods }: NodeParts): HttpUpstream {
  const { name, http: url, headers, connections, maxInFlight: maxWaiting, batch } = config;
  const share = {
    sharing: new Sharing({ ...batch, connections }, methods),
    maxBytes: batch.maxBytes,
    maxWaitMs: batch.maxWaitMs,
    onShared: (calls: number, refusal: Refusal | null) => metrics.onShared(index, calls, refusal === null ? 'answered' : typeof refusal === 'string' ? refusal : 'failed'),
  };
  return new HttpUpstream({ name, url, headers, connections, maxBeside: connections, maxWaiting, connectTimeoutMs, maxResponseBytes, keepAliveTimeoutMs: NODE_KEEP_ALIVE_MS, share }, world);
}

interface SocketParts extends NodeParts {
  readonly http: HttpUpstream;
  readonly url: string;
  readonly mode: 'ws' | 'auto';
}

function openSockets({ config, index, connectTimeoutMs, maxResponseBytes }: Seat, { world, metrics, http, url, mode }: SocketParts): SocketTransport {
  const { name, headers, sockets } = config;
  const { count, maxInFlight, pingAfterMs, reconnect: backoff } = sockets;
  const options = { mode, url, headers, count, maxInFlight, pingAfterMs, backoff, readyTimeoutMs: connectTimeoutMs, maxPayloadBytes: maxResponseBytes };
  return new SocketTransport(options, http, {
    timers: world.timers,
    random: world.random,
    onUp: () => world.log.debug({ upstream: name }, 'socket for calls connected'),
    onDown: (reason) => {
      metrics.onSocketLost(index);
      world.log.debug({ upstream: name, reason }, 'socket for calls lost');
    },
    onStray: (detail) => {
      metrics.onStray(index);
      world.log.debug({ upstream: name, detail }, 'a message on a socket for calls was left out');
    },
  });
}
