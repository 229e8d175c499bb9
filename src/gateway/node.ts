import type { Clock, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Logger } from '../observe/log.ts';
import { Sharing } from '../route/sharing.ts';
import { HttpUpstream } from '../upstream/http.ts';
import type { Refusal } from '../upstream/shared.ts';
import type { Seat } from './judging.ts';

/** What every part of the gateway is given of the outside world. */
export interface GatewayWorld {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly log: Logger;
}

/** What an upstream needs beside its configuration. */
export interface NodeParts {
  readonly world: GatewayWorld;
  /** How many methods the catalogue has. */
  readonly methods: number;
  /** How the node took a message of several calls; null = as it should. */
  onShared(calls: number, refusal: Refusal | null): void;
}

/** How long idle connections to a node are kept. */
export const NODE_KEEP_ALIVE_MS = 4_000;

/** One configured upstream as calls reach it. What watches its health is `NodeWatch`. */
export class UpstreamNode {
  readonly name: string;
  readonly client: HttpUpstream;

  constructor({ config, connectTimeoutMs, maxResponseBytes }: Seat, { world, methods, onShared }: NodeParts) {
    const { name, http: url, headers, connections, maxInFlight: maxWaiting, batch } = config;
    const share = { sharing: new Sharing({ ...batch, connections }, methods), maxBytes: batch.maxBytes, maxWaitMs: batch.maxWaitMs, onShared };
    this.name = name;
    this.client = new HttpUpstream({ name, url, headers, connections, maxWaiting, connectTimeoutMs, maxResponseBytes, keepAliveTimeoutMs: NODE_KEEP_ALIVE_MS, share }, world);
  }

  /** Calls under way may finish within `graceMs`. May be called again with less time. */
  async close(graceMs: number): Promise<void> {
    await this.client.close(graceMs);
  }
}
