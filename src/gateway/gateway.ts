import { evmCatalog } from '../chain/evm/evmCatalog.ts';
import type { Config, ServerConfig } from '../config/schema.ts';
import { listen } from '../edge/listen.ts';
import type { ReadConfig, Unfit } from '../config/wanted.ts';
import type { EdgeServer } from '../edge/port.ts';
import type { Logger } from '../observe/log.ts';
import { GatewayMetrics } from '../observe/metrics.ts';
import { openAdmin } from './admin.ts';
import type { AdminServer } from '../edge/admin.ts';
import { CertificateKeeper } from './certificateKeeper.ts';
import { checkTier, judgeDeath, openTier, tierBytes } from './openTier.ts';
import type { ChainRuntime } from './chain.ts';
import { ChainSet } from './chainSet.ts';
import { EventFeed } from './eventFeed.ts';
import type { LocalChain } from './localChain.ts';
import type { GatewayWorld } from './node.ts';
import { Paths } from './paths.ts';
import { Publisher } from './publisher.ts';
import { Pulse } from './pulse.ts';
import { Reloader } from './reload.ts';
import type { ReloadReport } from './reload.ts';
import { Server } from './serve.ts';
import type { GatewayState } from './state.ts';
import { crewSize, makeCrew } from './workers/makeCrew.ts';
import type { WorkerDeath } from './workers/slot.ts';
import { realWorld } from './world.ts';

/** Time between two beats of the judge: far below the shortest probe interval. */
const BEAT_MS = 100;

/** A running gateway. */
export interface Gateway {
  readonly clientPort: number;
  readonly adminPort: number;
  /**
   * Applies what can be changed live and names the rest, without dropping a call.
   * @throws Error, with nothing changed, when the nodes of a new chain without `chainId` disagree about it
   */
  reload(config: Config): Promise<ReloadReport>;
  /** Reads the config file anew and does the same, in turn with everything else that reloads; logs what became of it. */
  reloadFile(): Promise<ReloadReport | Unfit | null>;
  /** Stops accepting, finishes what is under way within `graceMs` (default: server.drainTimeoutMs), closes everything. */
  close(graceMs?: number): Promise<void>;
}

/** What a gateway is given beside its configuration. */
export interface GatewayDeps {
  readonly log: Logger;
  readonly version: string;
  /** Reads the config file anew; absent = there is none. */
  readonly readConfig?: ReadConfig;
  /** The program that is started for each of `server.workers`; it calls `serveAsWorker` where `isWorker`. Needed for more than one. */
  readonly workerFile?: string;
  /** A worker process has died; its successor starts once this is done. */
  readonly onWorkerDied?: (death: WorkerDeath) => void | Promise<void>;
}

/**
 * Builds the gateway from the bottom up and starts it; `close` takes it down in reverse.
 * @throws Error when a port cannot be bound or the nodes of a chain without `chainId` disagree about it
 */
export async function startGateway(config: Config, deps: GatewayDeps): Promise<Gateway> {
  const outside = realWorld(deps.log);
  const closers: (() => Promise<void> | void)[] = [() => outside.timers.stop()];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) await close();
  };
  try {
    return await build(config, outside, { closers, closeAll, deps });
  } catch (error) {
    await closeAll();
    throw error;
  }
}

interface Closing {
  readonly closers: (() => Promise<void> | void)[];
  readonly closeAll: () => Promise<void>;
  readonly deps: GatewayDeps;
}

async function build(config: Config, outside: GatewayWorld, closing: Closing): Promise<Gateway> {
  const { version, readConfig = null } = closing.deps;
  const catalog = evmCatalog();
  const metrics = new GatewayMetrics({ version, processMetrics: true });
  await checkTier(config, outside.log);
  const tier = crewSize(config) === 1 ? openTier(config, outside.log, metrics) : null;
  if (tier !== null) closing.closers.push(() => tier.close());
  const events = new EventFeed(config.admin.events, outside);
  const world: GatewayWorld = { ...outside, tier, events };
  const pulse = new Pulse(BEAT_MS, world);
  closing.closers.push(() => pulse.stop());
  const paths = new Paths<ChainRuntime>();
  const publisher = new Publisher();
  const chains = new ChainSet({ world, catalog, metrics, pulse, paths, publisher, webSocket: config.server.webSocket });
  closing.closers.push(() => chains.close(0));
  await chains.begin(config);
  pulse.start();
  const server = new Server({ world, server: config.server, access: config.access, sampleEvery: config.log.sampleEvery, metrics, paths });
  // the client port reads most of its limits at each request
  const limits = { ...config.server };
  const setLimits = (next: ServerConfig): void => void Object.assign(limits, next);
  const certificates = new CertificateKeeper(world, () => void reloader.take((running) => ({ config: running })));
  closing.closers.push(() => certificates.stop());
  const onWorkerDied = (death: WorkerDeath): void | Promise<void> => {
    judgeDeath(config, death.signal, world.log);
    return closing.deps.onWorkerDied?.(death);
  };
  const crew = makeCrew(config, { ...closing.deps, onWorkerDied }, { world, metrics });
  if (crew !== null) closing.closers.push(() => crew.drain(0));
  const apply = async (next: Config): Promise<void> => {
    await chains.apply(next);
    await crew?.apply(next, chains.list);
  };
  const reloader: Reloader = new Reloader(config, { world, chains: { apply }, server, setLimits, certificates });
  const state: GatewayState = { get chains() { return chains.list; }, server, metrics, crew, draining: false, reloader, readConfig };
  const admin = await openAdmin(config.admin, state, world, events);
  closing.closers.push(() => admin.close(1_000));
  // the first call to a port that has just opened must not find an empty table
  await Promise.all(chains.list.map(({ watch }) => watch.firstLook.over));
  const edge = crew ?? (await listen(limits, server, world.log));
  publisher.attach(edge);
  closing.closers.push(() => edge.drain(0));
  await crew?.start(chains.list);
  metrics.beforeScrape(() => {
    metrics.setDiskBytes(tierBytes(config));
    fillGauges(state, edge, world);
  });
  certificates.begin(edge);
  tellStart(config, { edge, admin, world, chains: chains.list });
  return {
    clientPort: edge.port,
    adminPort: admin.port,
    reload: (next) => reloader.reload(next),
    reloadFile: async () => (readConfig === null ? null : reloader.take(readConfig)),
    close: (graceMs) => drain(state, edge, closing, graceMs ?? reloader.config.server.drainTimeoutMs),
  };
}

/** Sets the gauges of everything that is only looked at when a scrape asks. */
function fillGauges({ chains, crew, metrics, server }: GatewayState, edge: EdgeServer, world: GatewayWorld): void {
  // workers tell theirs
  if (crew === null) {
    metrics.setConnections(edge.connections());
    metrics.setInFlight(server.inFlight);
  } else metrics.workers.setStates(crew.status().map(({ state }) => state));
  const nowMs = world.clock.nowMs();
  for (const { serving, watch } of chains) {
    serving.countRefusedRetries();
    for (const report of watch.reports(nowMs)) {
      serving.metrics.setUpstream(report.index, report);
      serving.metrics.setUpstreamInFlight(report.index, serving.book.inFlight(report.index));
      if (crew === null) serving.metrics.setUpstreamBudget(report.index, serving.book.budgets.facts(report.index, nowMs));
    }
  }
}

function tellStart(config: Config, parts: { edge: EdgeServer; admin: AdminServer; world: GatewayWorld; chains: readonly LocalChain[] }): void {
  const { edge, admin, world, chains } = parts;
  const fields = { host: config.server.host, port: edge.port, adminPort: admin.port, engine: edge.engine };
  world.log.info({ ...fields, chains: chains.map((chain) => chain.name) }, `serving on ${config.server.host}:${edge.port}, admin on ${config.admin.host}:${admin.port}`);
}

async function drain(state: GatewayState, edge: EdgeServer, closing: Closing, graceMs: number): Promise<void> {
  state.draining = true;
  await edge.drain(graceMs);
  await closing.closeAll();
}
