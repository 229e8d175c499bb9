import type { ChainConfig, Config } from '../../config/schema.ts';
import { shareConfig } from '../../config/share.ts';
import type { GatewayMetrics } from '../../observe/metrics.ts';
import type { ChainRuntime } from '../chain.ts';
import type { Paths } from '../paths.ts';
import { untilIdle } from '../retire.ts';
import type { ChainLoad, ChainPicture, ChainReport, ToWorker } from './protocol.ts';
import { RemoteChain } from './remoteChain.ts';
import type { RemoteParts } from './remoteChain.ts';

/** The chains of a worker, in config order, and those that are on their way out. */
export class RemoteChains {
  private readonly parts: RemoteParts & { readonly metrics: GatewayMetrics; readonly paths: Paths<ChainRuntime> };
  private list: readonly RemoteChain[] = [];
  private readonly open = new Map<number, RemoteChain>();

  constructor(parts: RemoteParts & { readonly metrics: GatewayMetrics; readonly paths: Paths<ChainRuntime> }) {
    this.parts = parts;
  }

  /** Makes the chains these, without dropping a call. @param config the whole; this worker takes its share */
  apply(config: Config, pictures: readonly ChainPicture[]): void {
    const { chains } = shareConfig(config, this.parts.workers);
    const before = this.list;
    this.list = pictures.flatMap((picture) => {
      const own = chains.find(({ name }) => name === picture.name);
      return own === undefined ? [] : [this.chain(own, picture)];
    });
    this.learnPaths();
    const { bodyTimeoutMs, drainTimeoutMs } = config.server;
    for (const chain of before) {
      if (!this.list.includes(chain)) void this.retire(chain, bodyTimeoutMs, Math.max(chain.serving.config.routing.deadlineMs, drainTimeoutMs));
    }
  }

  onMessage(message: Extract<ToWorker, { readonly chain: number }>): void {
    this.open.get(message.chain)?.onMessage(message);
  }

  /** What came of calls since the last time. */
  outcomes(): readonly ChainReport[] {
    const reports: ChainReport[] = [];
    for (const chain of this.open.values()) {
      const report = chain.outbox.take();
      if (report !== null) reports.push(report);
    }
    return reports;
  }

  loads(): readonly ChainLoad[] {
    return this.list.map(({ id, serving }) => ({ chain: id, inFlight: Int32Array.from(serving.table.entries, ({ index }) => serving.book.inFlight(index)) }));
  }

  /** Counts what is only counted when somebody asks. */
  count(): void {
    for (const chain of this.list) chain.count();
  }

  async close(): Promise<void> {
    await Promise.all([...this.open.values()].map(({ serving }) => serving.close(0)));
  }

  private chain(config: ChainConfig, picture: ChainPicture): RemoteChain {
    const known = this.open.get(picture.id);
    if (known !== undefined) {
      known.serving.apply(config);
      return known;
    }
    const { metrics, catalog } = this.parts;
    const series = metrics.addChain(config.name, catalog.specs().map(({ name }) => name), []);
    const chain = new RemoteChain(config, picture, { ...this.parts, metrics: series });
    chain.serving.onPaths = () => this.learnPaths();
    this.open.set(picture.id, chain);
    return chain;
  }

  private async retire(chain: RemoteChain, bodyMs: number, graceMs: number): Promise<void> {
    this.parts.metrics.removeChain(chain.name);
    await untilIdle(chain.serving.running, { bodyMs, graceMs }, this.parts.world);
    await chain.serving.close(0);
    this.open.delete(chain.id);
  }

  private learnPaths(): void {
    this.parts.paths.set(this.list.map(({ name, serving }) => ({ name, chainId: serving.chainId, target: serving })));
  }
}
