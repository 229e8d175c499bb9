import cluster from 'node:cluster';
import { evmCatalog } from '../../chain/evm/evmCatalog.ts';
import type { Config } from '../../config/schema.ts';
import { listen } from '../../edge/listen.ts';
import type { Certificate } from '../../edge/certificate.ts';
import type { EdgeServer } from '../../edge/port.ts';
import type { Logger } from '../../observe/log.ts';
import { GatewayMetrics } from '../../observe/metrics.ts';
import { TallyTeller } from '../../observe/tally.ts';
import type { ChainRuntime } from '../chain.ts';
import type { GatewayWorld } from '../node.ts';
import { Publisher } from '../publisher.ts';
import { openTier } from '../openTier.ts';
import type { DiskStore } from '../../store/diskStore.ts';
import { Paths } from '../paths.ts';
import { Server } from '../serve.ts';
import { realWorld } from '../world.ts';
import { Boss } from './boss.ts';
import { REPORT_MS, WORKER_ENV } from './protocol.ts';
import type { ToWorker } from './protocol.ts';
import { RemoteChains } from './remoteChains.ts';

/** Time between two messages about what attempts came to. */
const OUTCOMES_MS = 50;

/** What a worker process is given by its program. */
export interface WorkerDeps {
  readonly version: string;
  createLogger(options: { readonly level: Config['log']['level'] }): Logger;
}

/** Whether this process was started as a worker of `server.workers`. */
export const isWorker = (): boolean => cluster.isWorker && process.env[WORKER_ENV] !== undefined;

/** Serves until the process over it says that it is over, or is gone; then the process ends. */
export function serveAsWorker(deps: WorkerDeps): void {
  let worker: Worker | null = null;
  const boss = new Boss((message) => {
    if (message.kind === 'begin') worker ??= new Worker(message, boss, deps);
    else worker?.onMessage(message);
  });
  // a terminal sends these to the whole group; the process over us decides what they mean
  process.on('SIGINT', () => undefined);
  process.on('SIGHUP', () => undefined);
  process.on('SIGTERM', () => void worker?.end(null));
  process.on('disconnect', () => process.exit(1));
  void boss.send({ kind: 'hello' });
}

/** The serving side of a gateway, in a process of its own. */
class Worker {
  private readonly boss: Boss;
  private readonly world: GatewayWorld;
  private readonly metrics: GatewayMetrics;
  private readonly teller = new TallyTeller();
  private readonly publisher = new Publisher();
  private readonly chains: RemoteChains;
  private readonly server: Server;
  private readonly limits: Config['server'];
  private readonly tier: DiskStore | null;
  private edge: EdgeServer | null = null;
  private hurried = false;
  private ending = false;

  constructor({ config, certificate, workers, chains }: Extract<ToWorker, { kind: 'begin' }>, boss: Boss, deps: WorkerDeps) {
    this.boss = boss;
    const outside = realWorld(deps.createLogger({ level: config.log.level }).child({ worker: Number(process.env[WORKER_ENV]) }));
    this.metrics = new GatewayMetrics({ version: deps.version, processMetrics: false });
    this.tier = openTier(config, outside.log, this.metrics);
    this.world = { ...outside, tier: this.tier };
    const paths = new Paths<ChainRuntime>();
    this.chains = new RemoteChains({ world: this.world, catalog: evmCatalog(), metrics: this.metrics, paths, workers, hurry: () => this.hurry(), publisher: this.publisher, webSocket: config.server.webSocket, tell: (message) => void boss.send(message) });
    this.chains.apply(config, chains);
    const { server, access, log } = config;
    this.server = new Server({ world: this.world, server, access, sampleEvery: log.sampleEvery, metrics: this.metrics, paths });
    this.limits = { ...server };
    this.metrics.beforeScrape(() => this.fillLevels());
    setInterval(() => this.tellOutcomes(), OUTCOMES_MS);
    setInterval(() => void this.report(), REPORT_MS);
    void this.serve(certificate);
  }

  onMessage(message: ToWorker): void {
    if (message.kind === 'drain') void this.end(message.graceMs);
    else if (message.kind === 'config') this.apply(message);
    else if (message.kind === 'renew') this.renew(message.certificate);
    else if (message.kind !== 'begin') this.chains.onMessage(message);
  }

  /** Finishes what is under way, tells the last counts, and ends the process. */
  async end(graceMs: number | null): Promise<void> {
    if (this.ending) return;
    this.ending = true;
    await this.edge?.drain(graceMs ?? this.limits.drainTimeoutMs);
    await this.chains.close();
    await this.tier?.close();
    this.tellOutcomes();
    await this.report();
    process.exit(0);
  }

  private async serve(certificate: Certificate | null): Promise<void> {
    try {
      this.edge = await listen(this.limits, this.server, this.world.log, { certificate });
      this.publisher.attach(this.edge);
      void this.boss.send({ kind: 'ready', engine: this.edge.engine });
    } catch (error) {
      await this.boss.send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
      process.exit(1);
    }
  }

  private apply({ config, chains, turn }: Extract<ToWorker, { kind: 'config' }>): void {
    this.chains.apply(config, chains);
    this.server.reload(config);
    Object.assign(this.limits, config.server);
    void this.boss.send({ kind: 'applied', turn });
  }

  /** One that came before the port was open: the process starts over, with it. */
  private renew(certificate: Certificate): void {
    if (this.edge === null) process.exit(1);
    this.edge.renew(certificate)();
  }

  private hurry(): void {
    if (this.hurried) return;
    this.hurried = true;
    setImmediate(() => this.tellOutcomes());
  }

  private tellOutcomes(): void {
    this.hurried = false;
    if (this.boss.busy) return;
    const chains = this.chains.outcomes();
    if (chains.length > 0) void this.boss.send({ kind: 'outcomes', chains });
  }

  private async report(): Promise<void> {
    if (this.boss.busy) return;
    this.metrics.fill();
    const { user, system } = process.cpuUsage();
    const usage = { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
    await this.boss.send({ kind: 'report', counts: this.teller.changes(this.metrics.scopes()), loads: this.chains.loads(), usage });
  }

  private fillLevels(): void {
    this.metrics.setConnections(this.edge?.connections() ?? 0);
    this.metrics.setInFlight(this.server.inFlight);
    this.chains.count();
  }
}
