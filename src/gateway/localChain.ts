import type { ChainConfig, WebSocketConfig } from '../config/schema.ts';
import type { BudgetFacts } from '../route/budgetBook.ts';
import { ChainRuntime } from './chain.ts';
import { ChainFilters } from './filters/chainFilters.ts';
import type { Publisher } from './publisher.ts';
import { SharedSends } from './sharedSends.ts';
import { ChainWatch } from './watch.ts';
import type { WatchParts } from './watch.ts';

export interface LocalParts extends WatchParts {
  readonly publisher: Publisher;
  readonly webSocket: WebSocketConfig;
}

/** A chain with both its sides in this process. */
export class LocalChain {
  readonly name: string;
  readonly watch: ChainWatch;
  readonly serving: ChainRuntime;
  /** Filters of the clients of all processes. */
  readonly filters: ChainFilters;
  /** What was sent through worker processes. */
  readonly sends: SharedSends;
  /** Its calls are made by workers; `serving` makes none. */
  isServedByWorkers = false;

  constructor(config: ChainConfig, chainId: number | null, parts: LocalParts) {
    const { world, catalog, metrics, publisher, webSocket } = parts;
    this.name = config.name;
    this.watch = new ChainWatch(config, chainId, parts);
    this.filters = new ChainFilters(config.logs, { world, catalog, metrics: metrics.logs, view: this.watch.view, feed: (side) => this.watch.follow.join(side) });
    this.serving = new ChainRuntime(config, { world, catalog, metrics, filters: this.filters, judging: this.watch, view: this.watch.view, subs: { publisher, webSocket, feed: (side) => this.watch.follow.join(side) } });
    this.sends = new SharedSends(world.clock);
    this.watch.join(this.serving);
  }

  /** What a node may be asked now, by all that ask it. */
  budgetOf(index: number, nowMs: number): BudgetFacts {
    const { book, metrics } = this.serving;
    const told = this.isServedByWorkers ? metrics.upstreamBudget(index) : null;
    return told ?? book.budgets.facts(index, nowMs);
  }

  /** Takes over another configuration without dropping a call. */
  apply(config: ChainConfig, maxResponseBytes: number): void {
    this.serving.apply(config);
    this.filters.apply(config.logs);
    this.watch.apply(config, maxResponseBytes);
  }

  /** @param graceMs time that calls under way get */
  async close(graceMs: number): Promise<void> {
    this.filters.close();
    await Promise.all([this.watch.close(), this.serving.close(graceMs)]);
  }
}
