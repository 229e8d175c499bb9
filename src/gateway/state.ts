import type { GatewayMetrics } from '../observe/metrics.ts';
import type { Config } from '../config/schema.ts';
import type { ChainRuntime } from './chain.ts';
import type { ReloadReport } from './reload.ts';
import type { Server } from './serve.ts';

/** What the admin port can see. */
export interface GatewayState {
  readonly chains: readonly ChainRuntime[];
  readonly server: Server;
  readonly metrics: GatewayMetrics;
  draining: boolean;
  /** Takes over another configuration; see `Reloader.reload`. */
  reload(config: Config): Promise<ReloadReport>;
}
