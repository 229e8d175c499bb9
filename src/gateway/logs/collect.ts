import { Fault } from '../../base/fault.ts';
import { FilterBits, wants } from '../../chain/logs/filter.ts';
import type { LogFilter } from '../../chain/logs/filter.ts';
import { makePage, pageBytes } from '../../chain/logs/page.ts';
import type { BlockSpan } from '../../chain/logs/query.ts';
import { LogWork, isWhole } from '../../chain/logs/work.ts';
import type { LogPart } from '../../chain/logs/work.ts';
import type { BlockHeader } from '../../subs/header.ts';
import type { ChainRuntime } from '../chain.ts';
import type { ServeContext } from '../context.ts';
import type { Vantage } from '../vantage.ts';
import { BlockAsk } from './blockAsk.ts';
import { LogsPump } from './pump.ts';
import type { LogsFailure } from './pump.ts';

/** Parts in order, each block in one; or why they cannot be had. */
export type Collected = readonly LogPart[] | { readonly failure: LogsFailure };

/** Where the logs of a query come from. */
export class LogsCollector {
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly vantage: Vantage;
  /** Nodes had to be asked. */
  asked = false;
  private readonly asker: BlockAsk;
  private pump: LogsPump | null = null;

  constructor(server: ServeContext, chain: ChainRuntime, vantage: Vantage) {
    this.server = server;
    this.chain = chain;
    this.vantage = vantage;
    this.asker = new BlockAsk(server, chain);
  }

  /** Blocks that cannot change any more: what is stored, and ranges asked of nodes. */
  async final(filter: LogFilter, span: BlockSpan): Promise<Collected> {
    const { logs, metrics, config } = this.chain;
    logs.sync();
    const hit = logs.intervals.find(filter, span);
    const gapBlocks = hit.gaps.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    metrics.logs.onBlocks('stored', span.to - span.from + 1 - gapBlocks);
    metrics.logs.onBlocks('asked', gapBlocks);
    this.asked ||= gapBlocks > 0;
    const perCall = Math.min(config.logs.maxRangeBlocks, logs.maxBlocks(this.server.parts.world.clock.nowMs()));
    if (gapBlocks > perCall * config.logs.maxCalls) return { failure: new Fault('rangeTooLarge', `${gapBlocks} blocks, of which the nodes take ${perCall} in one call`) };
    const { generation } = logs;
    const work = new LogWork(filter, hit.gaps, config.logs.targetBytes);
    this.pump = new LogsPump(this.server, this.chain, work, this.vantage);
    const failure = await this.pump.run();
    const fresh = failure === null ? work.parts() : null;
    if (fresh === null) return { failure: failure ?? new Fault('badAnswer') };
    if (generation === logs.generation) logs.intervals.put(filter, fresh, logs.finalNumber(this.vantage));
    metrics.logs.storedBytes.set(logs.intervals.sizeBytes);
    const parts = [...hit.parts, ...fresh].sort((a, b) => a.from - b.from);
    return isWhole(parts, span) ? parts : { failure: new Fault('internal') };
  }

  /** Blocks that a reorg can still change: block by block, by hash. Null: the chain changed meanwhile. */
  async recent(filter: LogFilter, span: BlockSpan): Promise<Collected | null> {
    const headers = await this.chain.logs.headers.branch(this.asker, span, this.vantage);
    return headers === null ? null : this.blocks(filter, headers);
  }

  /** Single blocks, which follow each other. */
  async blocks(filter: LogFilter, headers: readonly BlockHeader[]): Promise<Collected> {
    const { logs, metrics } = this.chain;
    const bits = new FilterBits(filter);
    const matching = headers.filter(({ bloom }) => bits.mayMatch(bloom));
    metrics.logs.onBlocks('bloom', headers.length - matching.length);
    metrics.logs.onBlocks('block', matching.length);
    this.asked ||= matching.some(({ hash }) => !logs.whole.has(hash));
    const told = await Promise.all(matching.map((header) => logs.whole.of(this.asker, header)));
    const parts: LogPart[] = [];
    for (const [at, { number }] of matching.entries()) {
      const all = told[at] ?? null;
      if (all === null) return { failure: new Fault('noUpstream', `no node tells the logs of block ${number} whole`) };
      const page = makePage(all.filter(({ address, topics }) => wants(filter, address, topics)), number);
      if (page.starts.length > 0) parts.push({ from: number, to: number, page });
    }
    return parts;
  }

  abandon(): void {
    this.pump?.abandon();
  }
}

/** Bytes of all logs. */
export const partsBytes = (parts: readonly LogPart[]): number => parts.reduce((sum, { page }) => sum + pageBytes(page), 0);
