import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { listenAdmin } from '../edge/admin.ts';
import { openLock } from '../edge/adminLock.ts';
import { ControllerMetrics } from '../observe/controllerMetrics.ts';
import { Journal } from '../observe/journal.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { Logger } from '../observe/log.ts';
import { controllerRoutes } from './adminRoutes.ts';
import type { LoopParts } from './chainLoop.ts';
import { EdgeClient } from './edge.ts';
import { EdgeEvents } from './edgeEvents.ts';
import { Keeper } from './keeper.ts';
import { holdDirectory } from './lock.ts';
import { Records } from './records.ts';
import { NodeRoster } from './roster.ts';
import { SnapshotRestore } from './restore.ts';
import { Snapshotter } from './snapshotter.ts';

/** A running controller. */
export interface Controller {
  readonly adminPort: number;
  readonly keeper: Keeper;
  readonly journal: Journal;
  /** Stops looking and finishes what is under way; the nodes run on. */
  close(): Promise<void>;
}

/** What a controller is given beside its configuration. */
export interface ControllerDeps {
  readonly log: Logger;
  readonly onEntry?: (entry: JournalEntry) => void;
  /** Hears of each sub-step as it is reached, by name. */
  readonly onPoint?: (point: string) => void;
}

/** @throws Error when a record of the state directory is not readable */
async function gather(config: Config, deps: ControllerDeps): Promise<LoopParts & { readonly snapshots: Snapshotter }> {
  const { controller } = config;
  const { stateDir, healing: options, rpcTimeoutMs } = controller;
  const { log, onEntry = () => undefined, onPoint = () => undefined } = deps;
  const nowMs = (): number => Date.now();
  const records = new Records(join(stateDir, 'records.json'));
  const roster = new NodeRoster(join(stateDir, 'nodes.json'), config, process.env);
  const kept: Config = { ...config, get nodes() { return roster.nodes; } };
  const journal = new Journal(join(stateDir, 'journal.jsonl'), controller.journal);
  const tell = (entry: JournalEntry): void => {
    journal.add(entry);
    onEntry(entry);
  };
  const restore = new SnapshotRestore(kept, { log, nowMs, tell });
  await restore.refresh();
  const metrics = new ControllerMetrics();
  const snapshots = new Snapshotter(kept, { log, journal, metrics, onEntry, onPoint, nowMs, steadyMs: () => performance.now(), random: Math.random });
  return {
    snapshots,
    captures: snapshots.wishes,
    config,
    edge: new EdgeClient(controller.edge, rpcTimeoutMs),
    roster,
    records,
    journal,
    log,
    metrics,
    restore,
    options,
    rpcTimeoutMs,
    nowMs,
    random: Math.random,
    onEntry,
    onPoint,
  };
}

/**
 * Starts the keeper of the nodes in `config.nodes`.
 * @throws Error when another controller has the state directory, its records are not readable, or the port cannot be bound
 */
export async function startController(config: Config, deps: ControllerDeps): Promise<Controller> {
  const { controller } = config;
  const held = holdDirectory(controller.stateDir);
  try {
    const { log } = deps;
    const parts = await gather(config, deps);
    const keeper = new Keeper(config, parts);
    const { journal, metrics, snapshots } = parts;
    const lock = await openLock(controller.admin.tokenFile, log);
    const { host, port } = controller.admin;
    const admin = await listenAdmin({ host, port }, controllerRoutes({ keeper, snapshots, journal, metrics, lock, options: controller.healing }), log);
    await snapshots.start(() => keeper.loops.flatMap(({ nodes }) => nodes));
    keeper.start();
    const events = new EdgeEvents(controller.edge.url, log, () => keeper.wake());
    events.start();
    const kept = parts.roster.nodes.length;
    log.info({ nodes: kept, adminPort: admin.port }, `keeping ${kept} nodes, admin on ${host}:${admin.port}`);
    return {
      adminPort: admin.port,
      keeper,
      journal,
      close: async () => {
        await events.close();
        await admin.close(1000);
        await snapshots.close();
        await keeper.close();
        held.release();
      },
    };
  } catch (error) {
    held.release();
    throw error;
  }
}

/**
 * One look at all nodes and what would be done about each, in lines; nothing is done or written. What can only be seen
 * moving (a head that stands still) is not seen by one look.
 * @throws Error when the records are not readable
 */
export async function planOnce(config: Config, deps: { readonly log: Logger }): Promise<readonly string[]> {
  const keeper = new Keeper(config, await gather(config, deps));
  const pictures = await Promise.all(keeper.loops.map((loop) => loop.dryRun()));
  await keeper.close();
  return pictures.flatMap(({ plan }) => plan.nodes.map(({ node, verdict, step, why }) => `${node}: ${verdict.kind}; ${step === null ? 'no step' : `next ${step.kind}`}; ${why}`));
}
