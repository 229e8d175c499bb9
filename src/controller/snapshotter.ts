import type { Config } from '../config/schema.ts';
import type { JournalEntry } from '../observe/journal.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { listCopies } from '../store/dataCopy.ts';
import { CaptureSchedule } from './captureSchedule.ts';
import { CaptureWishes } from './captureWishes.ts';
import type { KeptNode } from './chainLook.ts';
import { ChainSnapshots } from './chainSnapshots.ts';
import { sweepDrill } from './drill.ts';
import type { SnapshotterDeps } from './snapshotParts.ts';
import { type SnapshotTask, SnapshotTasks } from './snapshotTasks.ts';
import { endTrial, trialObstacle } from './trial.ts';

const TICK_MS = 1000;

/** A wish that cannot be had, in words. */
export interface Refused {
  readonly refused: string;
}

/**
 * Takes snapshots of kept nodes, proves them, keeps those that retention asks for and the tree of the last proven one, and holds
 * drills. One thing at a time, beside the loops that keep the nodes: nobody waits for it. What it was at when it ended, whoever comes
 * next sees on the disk.
 */
export class Snapshotter {
  readonly tasks = new SnapshotTasks();
  readonly wishes: CaptureWishes;
  readonly #deps: SnapshotterDeps;
  readonly #config: Config;
  readonly #schedule: CaptureSchedule;
  readonly #chains: ChainSnapshots[] = [];
  readonly #stop = new AbortController();
  #nodes: () => readonly KeptNode[] = () => [];
  #wake: () => void = () => undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(config: Config, deps: SnapshotterDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#schedule = new CaptureSchedule(config.snapshots, deps);
    const onEnded = (task: SnapshotTask, isOk: boolean): void => this.#ended(task, isOk);
    const { patienceMs } = config.controller.healing;
    this.wishes = new CaptureWishes(() => config.nodes, { tasks: this.tasks, nowMs: deps.nowMs, patienceMs, onEnded, onPoint: deps.onPoint, onCopied: () => this.#wake() });
  }

  /** Looks at what lies on the disk, so that a capture that was under way goes on; then works until `close`. */
  async start(nodes: () => readonly KeptNode[]): Promise<void> {
    this.#nodes = nodes;
    for (const { config } of nodes()) this.wishes.seen(config.name, await listCopies(config.dataDir));
    for (const chain of this.#config.chains) {
      this.#chains.push(new ChainSnapshots(this.#config, chain, () => nodes().filter(({ config }) => config.chain === chain.name), this.#parts()));
    }
    this.#running = this.#run();
  }

  /** Ends what is under way; it goes on from the disk at the next start. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#running;
  }

  /** A command: capture this node. What comes of it its task tells. */
  async capture(node: string, kind: SnapshotBody['kind'] | null): Promise<SnapshotTask | Refused> {
    const obstacle = this.wishes.obstacle(node);
    const kept = this.#nodes().find(({ config }) => config.name === node);
    if (obstacle === undefined || kept === undefined) return { refused: 'no such node' };
    if (obstacle !== null) return { refused: obstacle };
    const { chain } = kept.config;
    const going = this.tasks.underWay(chain, 'capture');
    if (going !== undefined) return { refused: `a capture of ${chain} is under way: ${going.told}` };
    const past = await this.#find(chain)?.past();
    return this.tasks.add({ what: 'capture', chain, node, kind: kind ?? this.#schedule.kindNow(past ?? []), why: 'wished by an operator', state: 'waiting', beganAtMs: this.#deps.nowMs() });
  }

  /** A command: restore a snapshot (null = the newest proven) into a scratch node beside a kept one. */
  drill(node: string, snapshot: string | null): SnapshotTask | Refused {
    const kept = this.#nodes().find(({ config }) => config.name === node);
    if (kept === undefined) return { refused: 'no such node' };
    const { chain } = kept.config;
    const obstacle = trialObstacle(kept.config);
    if (obstacle !== null) return { refused: obstacle };
    const going = this.tasks.underWay(chain, 'drill');
    if (going !== undefined) return { refused: `a drill of ${chain} is under way` };
    const task = this.tasks.add({ what: 'drill', chain, node, kind: null, why: 'wished by an operator', state: 'waiting', beganAtMs: this.#deps.nowMs() });
    this.tasks.change(task.id, { snapshot });
    this.#wake();
    return this.tasks.find(task.id) ?? task;
  }

  #find(chain: string): ChainSnapshots | undefined {
    return this.#chains.find((one) => one.chain === chain);
  }

  #parts() {
    const { wishes, tasks } = this;
    return { ...this.#deps, wishes, tasks, schedule: this.#schedule, signal: this.#stop.signal, onEnded: (task: SnapshotTask, isOk: boolean) => this.#ended(task, isOk) };
  }

  async #run(): Promise<void> {
    for (const node of this.#nodes()) {
      await endTrial(node).catch(() => undefined);
      await sweepDrill(node).catch(() => undefined);
    }
    while (!this.#stop.signal.aborted) {
      for (const chain of this.#chains) await chain.tick();
      await this.#pause();
    }
  }

  #pause(): Promise<void> {
    return new Promise((done) => {
      const timer = setTimeout(done, TICK_MS);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
      if (this.#stop.signal.aborted) this.#wake();
    });
  }

  /** Tells what a task came to. */
  #ended(task: SnapshotTask, isOk: boolean): void {
    const { journal, log, metrics, onEntry, nowMs } = this.#deps;
    const endedAtMs = task.endedAtMs ?? nowMs();
    const durationMs = Math.max(0, endedAtMs - task.beganAtMs);
    if (task.what === 'capture') {
      this.#schedule.ended(task.chain, isOk);
      metrics.captured(task.chain, isOk ? durationMs : null);
    }
    const entry: JournalEntry = { at: new Date(endedAtMs).toISOString(), chain: task.chain, node: task.node ?? '', kind: 'snapshot', what: task.what, why: `${task.why}; ${task.told}`, outcome: isOk ? 'ok' : 'failed', durationMs };
    journal.add(entry);
    onEntry(entry);
    if (isOk) log.info({ ...entry }, `${task.what} of ${task.chain}: ${task.told}`);
    else log.error({ ...entry }, `${task.what} of ${task.chain} failed: ${task.told}`);
  }
}
