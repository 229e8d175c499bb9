import type { GatewayMetrics } from '../observe/metrics.ts';
import type { ChainRuntime } from './chain.ts';
import type { Server } from './serve.ts';

/** What the admin port can see. */
export interface GatewayState {
  readonly chains: readonly ChainRuntime[];
  readonly server: Server;
  readonly metrics: GatewayMetrics;
  draining: boolean;
}
