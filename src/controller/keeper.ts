import type { Problem } from '../config/problem.ts';
import type { Config, NodeConfig } from '../config/schema.ts';
import { DockerDriver } from '../driver/dockerDriver.ts';
import type { NodeDriver, Observed } from '../driver/port.ts';
import { ProcessDriver } from '../driver/processDriver.ts';
import { withHelp } from '../heal/memory.ts';
import { newOperation } from '../heal/operation.ts';
import type { OperationKind } from '../heal/operation.ts';
import type { NodePlan } from '../heal/plan.ts';
import type { NodeFacts } from '../heal/facts.ts';
import { ChainLoop } from './chainLoop.ts';
import type { LoopParts } from './chainLoop.ts';
import type { NodeRecord } from './records.ts';
import type { NodeTelemetry } from './telemetry.ts';

/** Between two looks while steps are being taken. */
const BUSY_INTERVAL_MS = 100;
const ROTATE_EVERY = 30;
/** What a wish for new data takes the place of: it does more. */
const SUPERSEDED: ReadonlySet<OperationKind> = new Set<OperationKind>(['start', 'restart', 'restore', 'readmit']);

/** A node for people. */
export interface NodeStatus {
  readonly config: NodeConfig;
  readonly facts: NodeFacts | null;
  readonly plan: NodePlan | null;
  readonly telemetry: NodeTelemetry;
}

/** What an operator can wish of a node. `resync`: it rebuilds its data from nothing. */
export type Wish = 'start' | 'stop' | 'restart' | 'resync' | 'pause' | 'resume' | 'remove';

/** Keeps all nodes: a loop per chain, and the wishes of operators. */
export class Keeper {
  readonly #loops = new Map<string, ChainLoop>();
  readonly #parts: LoopParts;
  readonly #drivers: Readonly<Record<NodeConfig['driver'], NodeDriver>>;
  readonly #intervalMs: number;
  readonly #running: Promise<void>[] = [];
  readonly #wakes = new Set<() => void>();
  #news = 0;
  #started = false;
  #closed = false;

  constructor(config: Config, parts: LoopParts) {
    const { controller } = config;
    this.#parts = parts;
    this.#intervalMs = controller.intervalMs;
    const { stateDir, output, docker } = controller;
    this.#drivers = {
      process: new ProcessDriver({ stateDir: `${stateDir}/nodes`, output, onPoint: parts.onPoint }, parts.log),
      docker: new DockerDriver({ ...docker, timeoutMs: 60_000, output }, parts.log),
    };
    const { nodes, departed } = parts.roster;
    for (const { chain } of [...nodes, ...departed]) this.#loopOf(chain);
    for (const node of nodes) this.#keep(node);
  }

  /** A loop per chain. */
  get loops(): readonly ChainLoop[] {
    return [...this.#loops.values()];
  }

  start(): void {
    this.#started = true;
    for (const loop of this.loops) this.#running.push(this.#run(loop));
  }

  /** Stops looking; steps under way are finished. Nodes run on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.wake();
    await Promise.all(this.#running);
    await Promise.all(this.loops.map((loop) => loop.settled()));
    await Promise.all(Object.values(this.#drivers).map((driver) => driver.close()));
  }

  /** Ends every node in its own way: for what was only started for a while. Call it when the loops are closed. */
  async endAll(): Promise<void> {
    const nodes = this.loops.flatMap((loop) => loop.nodes);
    await Promise.all(
      nodes.map(async ({ config, driver }) => {
        const { state, incarnation } = await driver.observe(config.name);
        if (state === 'running') await driver.stop(config.name, incarnation, config.stopGraceMs);
      }),
    );
  }

  /** Look now, or right after the look under way. */
  wake(): void {
    this.#news++;
    for (const wake of this.#wakes) wake();
  }

  list(): readonly NodeStatus[] {
    return this.loops.flatMap((loop) =>
      loop.nodes.map(({ config }) => {
        const { wish, paused } = this.#parts.records.of(config.name);
        const seen = loop.picture?.facts.nodes.find(({ name }) => name === config.name);
        return {
          config,
          // what was wished since the look holds already
          facts: seen === undefined ? null : { ...seen, wish, paused },
          plan: loop.picture?.plan.nodes.find(({ node }) => node === config.name) ?? null,
          telemetry: loop.telemetryOf(config.name),
        };
      }),
    );
  }

  /** Pid of a node as it was last seen to run; null = it does not. */
  pidOf(name: string): number | null {
    const { process: run } = this.list().find(({ config }) => config.name === name)?.facts ?? {};
    return run?.state === 'running' ? ((run as Partial<Observed>).pid ?? null) : null;
  }

  /** Takes a wish down; what follows from it, the loop does. False when there is no such node, or it is being removed. @throws Error when it cannot be written down */
  wish(name: string, wish: Wish, deleteData = false): boolean {
    const loop = this.#loopWith(name);
    const { records } = this.#parts;
    if (loop === undefined || (records.of(name).wish === 'removed' && wish !== 'remove')) return false;
    records.set(name, this.#wished(loop, name, wish, deleteData));
    records.flush();
    this.#parts.onPoint(`${wish} wished`);
    this.#note(loop.chain, name, wish);
    return true;
  }

  /** What would follow from a wish on the newest look; null when there is no such node, or no look yet. */
  preview(name: string, wish: Wish): NodePlan | null {
    const loop = this.#loopWith(name);
    if (loop === undefined) return null;
    return loop.preview(name, { ...this.#parts.records.of(name), ...this.#wished(loop, name, wish, false) });
  }

  /** Keeps one more node from now on, as it would stand in the configuration. @throws Error when it cannot be written down */
  add(given: Readonly<Record<string, unknown>>): NodeConfig | { readonly problems: readonly Problem[] } {
    const { roster, records, onPoint } = this.#parts;
    const checked = roster.check(given);
    if ('problems' in checked) return checked;
    // one of that name may have been kept before
    records.drop(checked.node.name);
    records.flush();
    onPoint('add checked');
    const node = roster.add(given);
    if ('problems' in node) return node;
    onPoint('add written');
    this.#keep(node);
    this.#note(node.chain, node.name, 'add');
    return node;
  }

  /** What `add` would keep; nothing is changed. */
  check(given: Readonly<Record<string, unknown>>): NodeConfig | { readonly problems: readonly Problem[] } {
    const checked = this.#parts.roster.check(given);
    return 'problems' in checked ? checked : checked.node;
  }

  #keep(config: NodeConfig): void {
    const loop = this.#loopOf(config.chain);
    loop.nodes = [...loop.nodes, { config, driver: this.#drivers[config.driver] }];
  }

  #loopOf(chain: string): ChainLoop {
    const known = this.#loops.get(chain);
    if (known !== undefined) return known;
    const loop = new ChainLoop(chain, [], this.#parts);
    this.#loops.set(chain, loop);
    if (this.#started && !this.#closed) this.#running.push(this.#run(loop));
    return loop;
  }

  #loopWith(name: string): ChainLoop | undefined {
    return this.loops.find(({ nodes }) => nodes.some(({ config }) => config.name === name));
  }

  #note(chain: string, node: string, what: string): void {
    const { journal, nowMs } = this.#parts;
    journal.add({ at: new Date(nowMs()).toISOString(), chain, node, kind: 'operator', what, why: 'wished by an operator', outcome: 'ok' });
    this.wake();
  }

  #wished(loop: ChainLoop, name: string, wish: Wish, deleteData: boolean): Partial<NodeRecord> {
    const { memory } = this.#parts.records.of(name);
    const cleared = { ...memory, human: null, goesOn: false, blockedSinceMs: -1 };
    switch (wish) {
      case 'pause':
        return { paused: true };
      case 'resume':
        // whoever was called has done something about it: the ladder begins anew
        return { paused: false, memory: memory.human === null || memory.goesOn ? cleared : withHelp(cleared) };
      case 'stop':
        return { wish: 'stopped' };
      case 'remove':
        return { wish: 'removed', deleteData };
      case 'start':
        return { wish: 'running', memory: { ...cleared, shortRuns: 0 } };
      case 'restart':
        return { wish: 'running', memory: this.#renewing('restart', loop, name, cleared) };
      case 'resync':
        return { wish: 'running', memory: this.#renewing('resync', loop, name, memory.operation === null || !SUPERSEDED.has(memory.operation.kind) ? cleared : { ...cleared, operation: null }) };
    }
  }

  #renewing(kind: 'restart' | 'resync', loop: ChainLoop, name: string, memory: NodePlan['memory']): NodePlan['memory'] {
    const facts = loop.picture?.facts.nodes.find((node) => node.name === name);
    if (memory.operation !== null || facts === undefined) return memory;
    const isOperators = facts.edge?.cordoned === true && !memory.heldOut;
    const about = { verdict: 'healthy', why: 'wished by an operator', startedAtMs: this.#parts.nowMs(), incarnation: facts.process.incarnation, snapshotId: null, keepCordon: isOperators, hold: true } as const;
    return { ...memory, operation: newOperation(kind, about, name) };
  }

  async #run(loop: ChainLoop): Promise<void> {
    for (let turn = 0; !this.#closed; turn++) {
      const newsBefore = this.#news;
      let isBusy = false;
      try {
        isBusy = await loop.turn();
        if (turn % ROTATE_EVERY === 0) this.#rotate(loop);
      } catch (error) {
        this.#parts.log.error({ chain: loop.chain, error: error instanceof Error ? error.message : String(error) }, 'a look at the nodes failed; nothing is done until one succeeds');
      }
      if (!this.#closed) await this.#pause(isBusy || this.#news !== newsBefore ? BUSY_INTERVAL_MS : this.#intervalMs);
    }
  }

  #rotate(loop: ChainLoop): void {
    for (const { config, driver } of loop.nodes) if (driver instanceof ProcessDriver) driver.rotate(config.name);
  }

  #pause(ms: number): Promise<void> {
    return new Promise((done) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#wakes.delete(wake);
        done();
      };
      const timer = setTimeout(wake, ms);
      this.#wakes.add(wake);
    });
  }
}
