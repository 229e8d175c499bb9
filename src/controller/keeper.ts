import type { Config, NodeConfig } from '../config/schema.ts';
import { DockerDriver } from '../driver/dockerDriver.ts';
import type { NodeDriver, Observed } from '../driver/port.ts';
import { ProcessDriver } from '../driver/processDriver.ts';
import { newOperation } from '../heal/operation.ts';
import type { NodePlan } from '../heal/plan.ts';
import type { NodeFacts } from '../heal/facts.ts';
import { ChainLoop } from './chainLoop.ts';
import type { LoopParts } from './chainLoop.ts';
import type { KeptNode } from './chainLook.ts';

/** Between two looks while steps are being taken. */
const BUSY_INTERVAL_MS = 100;
const ROTATE_EVERY = 30;

/** A node for people. */
export interface NodeStatus {
  readonly config: NodeConfig;
  readonly facts: NodeFacts | null;
  readonly plan: NodePlan | null;
}

/** What an operator can wish. */
export type Wish = 'start' | 'stop' | 'restart' | 'pause' | 'resume';

/** Keeps all nodes: a loop per chain, and the wishes of operators. */
export class Keeper {
  readonly loops: readonly ChainLoop[];
  readonly #parts: LoopParts;
  readonly #drivers: Readonly<Record<NodeConfig['driver'], NodeDriver>>;
  readonly #intervalMs: number;
  readonly #running: Promise<void>[] = [];
  readonly #wakes = new Set<() => void>();
  #closed = false;

  constructor(config: Config, parts: LoopParts) {
    const { controller } = config;
    this.#parts = parts;
    this.#intervalMs = controller.intervalMs;
    const { stateDir, output, docker } = controller;
    this.#drivers = {
      process: new ProcessDriver({ stateDir: `${stateDir}/nodes`, output }, parts.log),
      docker: new DockerDriver({ ...docker, timeoutMs: 60_000, output }, parts.log),
    };
    const kept = config.nodes.map((node): KeptNode => ({ config: node, driver: this.#drivers[node.driver] }));
    const chains = [...new Set(config.nodes.map(({ chain }) => chain))];
    this.loops = chains.map((chain) => new ChainLoop(chain, kept.filter((node) => node.config.chain === chain), parts));
  }

  start(): void {
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

  /** Look now. */
  wake(): void {
    for (const wake of this.#wakes) wake();
  }

  list(): readonly NodeStatus[] {
    return this.loops.flatMap((loop) =>
      loop.nodes.map(({ config }) => ({
        config,
        facts: loop.picture?.facts.nodes.find(({ name }) => name === config.name) ?? null,
        plan: loop.picture?.plan.nodes.find(({ node }) => node === config.name) ?? null,
      })),
    );
  }

  /** Pid of a node as it was last seen to run; null = it does not. */
  pidOf(name: string): number | null {
    const { process: run } = this.list().find(({ config }) => config.name === name)?.facts ?? {};
    return run?.state === 'running' ? ((run as Partial<Observed>).pid ?? null) : null;
  }

  /** Takes a wish down; what follows from it, the loop does. False when there is no such node. @throws Error when it cannot be written down */
  wish(name: string, wish: Wish): boolean {
    const loop = this.loops.find(({ nodes }) => nodes.some(({ config }) => config.name === name));
    if (loop === undefined) return false;
    const { records, journal, nowMs } = this.#parts;
    const { memory } = records.of(name);
    const cleared = { ...memory, human: null, goesOn: false, blockedSinceMs: -1 };
    if (wish === 'pause') records.set(name, { paused: true });
    else if (wish === 'resume') records.set(name, { paused: false, memory: cleared });
    else if (wish === 'stop') records.set(name, { wish: 'stopped' });
    else if (wish === 'start') records.set(name, { wish: 'running', memory: { ...cleared, shortRuns: 0 } });
    else records.set(name, { wish: 'running', memory: this.#restarting(loop, name, cleared) });
    records.flush();
    journal.add({ at: new Date(nowMs()).toISOString(), chain: loop.chain, node: name, kind: 'operator', what: wish, why: 'wished by an operator', outcome: 'ok' });
    this.wake();
    return true;
  }

  #restarting(loop: ChainLoop, name: string, memory: NodePlan['memory']): NodePlan['memory'] {
    const facts = loop.picture?.facts.nodes.find((node) => node.name === name);
    if (memory.operation !== null || facts === undefined) return memory;
    const isOperators = facts.edge?.cordoned === true && !memory.heldOut;
    const about = { verdict: 'healthy', why: 'wished by an operator', startedAtMs: this.#parts.nowMs(), incarnation: facts.process.incarnation, snapshotId: null, keepCordon: isOperators, hold: true } as const;
    return { ...memory, operation: newOperation('restart', about, name) };
  }

  async #run(loop: ChainLoop): Promise<void> {
    for (let turn = 0; !this.#closed; turn++) {
      let isBusy = false;
      try {
        isBusy = await loop.turn();
        if (turn % ROTATE_EVERY === 0) this.#rotate(loop);
      } catch (error) {
        this.#parts.log.error({ chain: loop.chain, error: error instanceof Error ? error.message : String(error) }, 'a look at the nodes failed; nothing is done until one succeeds');
      }
      if (!this.#closed) await this.#pause(isBusy ? BUSY_INTERVAL_MS : this.#intervalMs);
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
