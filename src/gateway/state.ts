import type { GatewayMetrics } from '../observe/metrics.ts';
import type { ReadConfig } from '../config/wanted.ts';
import type { LocalChain } from './localChain.ts';
import type { Reloader } from './reload.ts';
import type { Server } from './serve.ts';

/** What the admin port can see. */
export interface GatewayState {
  readonly chains: readonly LocalChain[];
  readonly server: Server;
  readonly metrics: GatewayMetrics;
  draining: boolean;
  readonly reloader: Pick<Reloader, 'take' | 'config'>;
  /** Reads the config file anew; null = there is none. */
  readonly readConfig: ReadConfig | null;
}
