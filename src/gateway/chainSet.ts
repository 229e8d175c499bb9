import type { Catalog } from '../chain/catalog.ts';
import type { ChainConfig, Config, WebSocketConfig } from '../config/schema.ts';
import type { GatewayMetrics } from '../observe/metrics.ts';
import type { ChainRuntime } from './chain.ts';
import { identify } from './identify.ts';
import { LocalChain } from './localChain.ts';
import type { GatewayWorld } from './node.ts';
import type { Paths } from './paths.ts';
import type { Publisher } from './publisher.ts';
import type { Pulse } from './pulse.ts';
import { untilIdle } from './retire.ts';

export interface ChainSetParts {
  readonly world: GatewayWorld;
  readonly catalog: Catalog;
  readonly metrics: GatewayMetrics;
  readonly pulse: Pulse;
  readonly paths: Paths<ChainRuntime>;
  readonly publisher: Publisher;
  readonly webSocket: WebSocketConfig;
}

/** The chains that this process serves, in config order, and those that are on their way out. */
export class ChainSet {
  list: readonly LocalChain[] = [];
  private readonly parts: ChainSetParts;
  /** With those that no path leads to yet, or any more. */
  private readonly open = new Set<LocalChain>();

  constructor(parts: ChainSetParts) {
    this.parts = parts;
  }

  /**
   * Starts the chains of the config.
   * @throws Error when the nodes of one without `chainId` disagree about it; nothing is open then
   */
  async begin(config: Config): Promise<void> {
    this.list = await this.start(config.chains, config.server.maxResponseBytes);
    this.learnPaths();
  }

  /**
   * Makes the chains those of the config: new ones start, known ones change, the others go once their calls have ended.
   * A new one gets its path when it can serve, or all its nodes were probed in vain.
   * @throws Error as `begin` does, with nothing changed
   */
  async apply(config: Config): Promise<void> {
    const { maxResponseBytes, bodyTimeoutMs, drainTimeoutMs } = config.server;
    const known = new Map(this.list.map((chain) => [chain.name, chain]));
    const fresh = await this.start(config.chains.filter(({ name }) => !known.has(name)), maxResponseBytes);
    await Promise.all(fresh.map((chain) => chain.watch.firstLook.over));
    const all = new Map([...known, ...fresh.map((chain) => [chain.name, chain] as const)]);
    for (const chain of config.chains) known.get(chain.name)?.apply(chain, maxResponseBytes);
    this.list = config.chains.map(({ name }) => all.get(name)).filter((chain) => chain !== undefined);
    this.learnPaths();
    const gone = [...known.values()].filter((chain) => !this.list.includes(chain));
    for (const chain of gone) void this.retire(chain, bodyTimeoutMs, Math.max(chain.serving.config.routing.deadlineMs, drainTimeoutMs));
  }

  async close(graceMs: number): Promise<void> {
    await Promise.all([...this.open].map((chain) => chain.close(graceMs)));
  }

  private async start(configs: readonly ChainConfig[], maxResponseBytes: number): Promise<readonly LocalChain[]> {
    const chainIds = await Promise.all(configs.map((chain) => identify(chain, this.parts.world)));
    return configs.map((config, i) => this.startOne(config, chainIds[i] ?? null, maxResponseBytes));
  }

  private startOne(config: ChainConfig, chainId: number | null, maxResponseBytes: number): LocalChain {
    const { world, catalog, pulse, metrics, publisher, webSocket } = this.parts;
    const methods = catalog.specs().map((spec) => spec.name);
    const series = metrics.addChain(config.name, methods, config.upstreams.map((upstream) => upstream.name));
    const chain = new LocalChain(config, chainId, { world, catalog, pulse, maxResponseBytes, metrics: series, publisher, webSocket });
    chain.serving.onPaths = () => this.learnPaths();
    this.open.add(chain);
    pulse.add(chain.watch);
    return chain;
  }

  private async retire(chain: LocalChain, bodyMs: number, graceMs: number): Promise<void> {
    this.parts.metrics.removeChain(chain.name);
    await untilIdle(chain.serving.running, { bodyMs, graceMs }, this.parts.world);
    await chain.close(0);
    this.open.delete(chain);
  }

  private learnPaths(): void {
    this.parts.paths.set(this.list.map((chain) => ({ name: chain.name, chainId: chain.watch.chainId, target: chain.serving })));
  }
}
