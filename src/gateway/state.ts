import type { GatewayMetrics } from '../observe/metrics.ts';
import type { ReadConfig } from '../config/wanted.ts';
import type { LocalChain } from './localChain.ts';
import type { Reloader } from './reload.ts';
import type { Server } from './serve.ts';
import type { Crew } from './workers/crew.ts';

/** What the admin port can see. */
export interface GatewayState {
  readonly chains: readonly LocalChain[];
  readonly server: Server;
  readonly metrics: GatewayMetrics;
  /** The worker processes; null where this process serves itself. */
  readonly crew: Crew | null;
  draining: boolean;
  readonly reloader: Pick<Reloader, 'take' | 'config'>;
  /** Reads the config file anew; null = there is none. */
  readonly readConfig: ReadConfig | null;
}
