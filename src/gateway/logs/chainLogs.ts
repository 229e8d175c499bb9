import { LogIntervals } from '../../cache/logIntervals.ts';
import { RangeLimits } from '../../chain/logs/limits.ts';
import type { LogsConfig } from '../../config/schema.ts';
import type { RouteTable } from '../../health/table.ts';
import { Headers } from './headers.ts';
import type { LogsHost } from './host.ts';
import { Slots } from './slots.ts';
import { WholeLogs } from './wholeLogs.ts';

/** Hashes of trusted blocks that are remembered, to find how deep a reorg went. */
const MAX_SEEN = 4096;

/** What the log queries of one chain share in this process. */
export class ChainLogs {
  readonly intervals: LogIntervals;
  readonly limits = new RangeLimits();
  readonly headers: Headers;
  readonly whole: WholeLogs;
  /** Calls of log queries under way. */
  readonly slots: Slots;
  /** Grows when stored logs were dropped: what was asked for before is not stored after it. */
  generation = 0;
  private readonly host: LogsHost;
  private readonly seen = new Map<number, string>();
  private epoch: number;

  constructor(config: LogsConfig, host: LogsHost) {
    this.host = host;
    this.intervals = new LogIntervals(config.cache);
    this.headers = new Headers(host);
    this.whole = new WholeLogs(host);
    this.slots = new Slots(config.maxConcurrency);
    this.epoch = host.view.epoch;
  }

  /** Highest block that no reorg changes any more, as far as is known; -1 = none. */
  finalNumber({ number, finalized }: { readonly number: number; readonly finalized: { readonly number: number } | null }): number {
    return finalized?.number ?? number - this.host.config.health.trustedHead.reorgDepth;
  }

  /** Blocks that the most generous node in service takes in one query. */
  maxBlocks(nowMs: number): number {
    const { serving } = this.host.table;
    return serving.reduce((most, node) => Math.max(most, this.limits.of(node, nowMs)), serving.length === 0 ? Number.POSITIVE_INFINITY : 1);
  }

  take(table: RouteTable): void {
    for (const { state, index } of table.entries) if (state === 'down') this.limits.forget(index);
    this.sync();
  }

  /** Drops what a reorg has changed. */
  sync(): void {
    const { view } = this.host;
    if (view.epoch !== this.epoch) {
      this.epoch = view.epoch;
      for (const [number, hash] of [...this.seen].sort(([a], [b]) => a - b)) {
        const now = view.hashAt(number);
        if (now === '' || now === hash) continue;
        this.generation++;
        this.intervals.cut(number);
        for (const height of [...this.seen.keys()]) if (height >= number) this.seen.delete(height);
        break;
      }
    }
    const top = view.head?.number ?? -1;
    for (let number = top; number >= 0 && number > top - MAX_SEEN; number--) {
      const hash = view.hashAt(number);
      if (hash === '' || this.seen.get(number) === hash) break;
      this.seen.set(number, hash);
    }
    for (const number of this.seen.keys()) {
      if (this.seen.size <= MAX_SEEN) return;
      this.seen.delete(number);
    }
  }

  /** The chain may have been changed past its own rules. */
  flush(): void {
    this.generation++;
    this.intervals.cut(0);
    this.whole.clear();
  }

  apply(config: LogsConfig): void {
    this.slots.max = config.maxConcurrency;
    this.intervals.setLimits(config.cache);
  }
}
