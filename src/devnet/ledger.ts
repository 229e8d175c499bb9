import type { BlockLog } from './log.ts';
import type { PendingPool } from './pool.ts';
import type { Report } from './report.ts';

/** What the feeders of one chain share. */
export interface Ledger {
  readonly log: BlockLog;
  readonly pool: PendingPool;
  readonly report: Report;
  /** New transactions are in the pool. */
  onPickedUp(): void;
  /** Node `name` cannot make block `number` as the log has it, not even from genesis. */
  onIrreproducible(name: string, number: number): void;
}

/** What a feeder needs of the node it feeds. */
export interface FedNode {
  readonly name: string;
  readonly httpUrl: string;
  readonly wsUrl: string;
  /** Starts the node anew from genesis. */
  reset(): Promise<void>;
}
