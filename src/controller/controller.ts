import { join } from 'node:path';
import type { Config } from '../config/schema.ts';
import { listenAdmin } from '../edge/admin.ts';
import { openLock } from '../edge/adminLock.ts';
import { ControllerMetrics } from '../observe/controllerMetrics.ts';
import { Journal } from '../observe/journal.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { Logger } from '../observe/log.ts';
import { controllerRoutes } from './adminRoutes.ts';
import { EdgeClient } from './edge.ts';
import { Keeper } from './keeper.ts';
import { holdDirectory } from './lock.ts';
import { Records } from './records.ts';
import { SnapshotRestore } from './restore.ts';

/** A running controller. */
export interface Controller {
  readonly adminPort: number;
  readonly keeper: Keeper;
  readonly journal: Journal;
  /** Stops looking and finishes what is under way; the nodes run on. */
  close(): Promise<void>;
}

/**
 * Starts the keeper of the nodes in `config.nodes`.
 * @throws Error when another controller has the state directory, its records are not readable, or the port cannot be bound
 */
export async function startController(config: Config, deps: { readonly log: Logger; readonly onEntry?: (entry: JournalEntry) => void }): Promise<Controller> {
  const { controller } = config;
  const held = holdDirectory(controller.stateDir);
  try {
    const { log } = deps;
    const metrics = new ControllerMetrics();
    const journal = new Journal(join(controller.stateDir, 'journal.jsonl'), controller.journal);
    const records = new Records(join(controller.stateDir, 'records.json'));
    const edge = new EdgeClient(controller.edge, controller.rpcTimeoutMs);
    const { healing: options, rpcTimeoutMs } = controller;
    const restore = new SnapshotRestore(config, { log, nowMs: () => Date.now() });
    await restore.refresh();
    const keeper = new Keeper(config, { edge, records, journal, log, metrics, restore, options, rpcTimeoutMs, nowMs: () => Date.now(), random: Math.random, onEntry: deps.onEntry ?? (() => undefined) });
    const lock = await openLock(controller.admin.tokenFile, log);
    const { host, port } = controller.admin;
    const admin = await listenAdmin({ host, port }, controllerRoutes({ keeper, journal, metrics, lock }), log);
    keeper.start();
    log.info({ nodes: config.nodes.length, adminPort: admin.port }, `keeping ${config.nodes.length} nodes, admin on ${host}:${admin.port}`);
    return {
      adminPort: admin.port,
      keeper,
      journal,
      close: async () => {
        await admin.close(1000);
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
  const { controller } = config;
  const { healing: options, rpcTimeoutMs } = controller;
  const records = new Records(join(controller.stateDir, 'records.json'));
  const edge = new EdgeClient(controller.edge, rpcTimeoutMs);
  const journal = new Journal(join(controller.stateDir, 'journal.jsonl'), controller.journal);
  const restore = new SnapshotRestore(config, { log: deps.log, nowMs: () => Date.now() });
  await restore.refresh();
  const keeper = new Keeper(config, { edge, records, journal, log: deps.log, metrics: new ControllerMetrics(), restore, options, rpcTimeoutMs, nowMs: () => Date.now(), random: Math.random, onEntry: () => undefined });
  const pictures = await Promise.all(keeper.loops.map((loop) => loop.dryRun()));
  await keeper.close();
  return pictures.flatMap(({ plan }) => plan.nodes.map(({ node, verdict, step, why }) => `${node}: ${verdict.kind}; ${step === null ? 'no step' : `next ${step.kind}`}; ${why}`));
}
