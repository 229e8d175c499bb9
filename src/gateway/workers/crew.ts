import type { Config } from '../../config/schema.ts';
import type { Certificate } from '../../edge/certificate.ts';
import { loadCertificate } from '../../edge/certificateFile.ts';
import { findPort } from '../../edge/listen.ts';
import type { EdgeServer } from '../../edge/port.ts';
import type { GatewayMetrics } from '../../observe/metrics.ts';
import type { LocalChain } from '../localChain.ts';
import type { GatewayWorld } from '../node.ts';
import { ChainCast } from './cast.ts';
import { CellFile } from './cellFile.ts';
import type { ToWorker } from './protocol.ts';
import { Slot } from './slot.ts';
import type { WorkerDeath, WorkerState } from './slot.ts';

/** What a crew is made with. */
export interface CrewParts {
  readonly world: GatewayWorld;
  readonly metrics: GatewayMetrics;
  /** The program that a worker process runs. */
  readonly file: string;
  /** Before the place of a worker that died is taken again. */
  onWorkerDied(death: WorkerDeath): void | Promise<void>;
}

/** One worker as the admin port shows it. */
export interface WorkerStatus {
  readonly worker: number;
  readonly pid: number | null;
  readonly state: WorkerState;
  readonly forMs: number;
  readonly restarts: number;
  readonly cpuMs: number;
  readonly rssBytes: number;
}

/** Looks at the life of the workers within `server.workerHangMs`. */
const LOOKS = 4;

/** The worker processes that serve the client port, and the one line of command over them. */
export class Crew implements EdgeServer {
  engine: 'uws' | 'node' = 'node';
  port = 0;
  certificate: Certificate | null = null;
  private readonly parts: CrewParts;
  private readonly cells = new CellFile();
  private readonly slots: readonly Slot[];
  private casts = new Map<LocalChain, ChainCast>();
  private config: Config;
  private order: readonly LocalChain[] = [];
  private turns = 0;
  private looking: NodeJS.Timeout | null = null;
  private drained: Promise<void> | null = null;
  private begun: { readonly ready: () => void; readonly fail: (error: Error) => void } | null = null;

  /** @param workers how many processes, at least 2 */
  constructor(config: Config, workers: number, parts: CrewParts) {
    this.config = config;
    this.parts = parts;
    this.slots = Array.from({ length: workers }, (_, i) => this.slot(i + 1));
  }

  /**
   * Starts all workers; resolves when they serve.
   * @throws CertificateFault for files of `server.tls` that cannot be served with; Error when the port cannot be bound or a worker cannot serve
   */
  async start(chains: readonly LocalChain[]): Promise<void> {
    this.certificate = loadCertificate(this.config.server.tls);
    this.port = await findPort(this.config.server);
    this.config = { ...this.config, server: { ...this.config.server, port: this.port } };
    this.know(chains);
    const started = new Promise<void>((resolve, reject) => {
      this.begun = { ready: resolve, fail: reject };
    });
    for (const slot of this.slots) slot.start();
    this.looking = setInterval(() => {
      for (const slot of this.slots) slot.look(LOOKS);
    }, this.config.server.workerHangMs / LOOKS);
    await started;
    this.begun = null;
  }

  /** Has every worker take a configuration over; resolves when all have, or have died and start with it. */
  async apply(config: Config, chains: readonly LocalChain[]): Promise<void> {
    this.config = { ...config, server: { ...config.server, port: this.port } };
    this.know(chains);
    const message = { kind: 'config', turn: ++this.turns, config: this.config, chains: this.pictures() } as const;
    await Promise.all(this.slots.map((slot) => slot.configure(message)));
  }

  /** As told by the workers a moment ago. */
  connections(): number {
    return this.parts.metrics.connections;
  }

  /** To nobody: the connections are the workers'. */
  publish(): void {}

  renew(certificate: Certificate): () => void {
    return () => {
      this.certificate = certificate;
      this.tell({ kind: 'renew', certificate });
    };
  }

  drain(graceMs: number): Promise<void> {
    this.drained ??= this.close(graceMs);
    return this.drained;
  }

  /** True when a worker takes calls. */
  get serving(): boolean {
    return this.slots.some(({ state }) => state === 'serving');
  }

  status(): readonly WorkerStatus[] {
    const nowMs = this.parts.world.clock.nowMs();
    return this.slots.map(({ number, pid, state, sinceMs, restarts, usage }) => ({ worker: number, pid, state, forMs: Math.round(nowMs - sinceMs), restarts, ...usage }));
  }

  private async close(graceMs: number): Promise<void> {
    if (this.looking !== null) clearInterval(this.looking);
    await Promise.all(this.slots.map((slot) => slot.close(graceMs)));
    for (const cast of this.casts.values()) cast.watch.leave(cast);
    this.cells.close();
  }

  private slot(number: number): Slot {
    const { world, metrics, file } = this.parts;
    return new Slot(number, {
      world,
      metrics,
      file,
      cellFd: this.cells.fd,
      pace: this.config.server.workerRestart,
      nowMs: () => world.clock.nowMs(),
      chain: (id) => this.chainOf(id),
      begin: () => ({ kind: 'begin', workers: this.slots.length, config: this.config, certificate: this.certificate, chains: this.pictures() }),
      onReady: (_slot, engine) => this.onReady(engine),
      onFailed: (slot, message) => this.onFailed(slot, message),
      onUsage: (worker, usage) => metrics.workers.setUsage(worker, usage),
      onDeath: async (death) => {
        metrics.workers.onDeath(death.hung ? 'hung' : death.signal === null ? 'exit' : 'signal');
        this.begun?.fail(new Error(`worker ${death.slot} ended before it could serve (${death.signal ?? `code ${death.code}`})`));
        await this.parts.onWorkerDied(death);
      },
    });
  }

  private onReady(engine: 'uws' | 'node'): void {
    this.engine = engine;
    if (this.slots.every(({ state }) => state === 'serving')) this.begun?.ready();
  }

  private onFailed(slot: Slot, message: string): void {
    if (this.begun !== null) this.begun.fail(new Error(message));
    else this.parts.world.log.error({ worker: slot.number, reason: message }, `a worker cannot serve: ${message}`);
  }

  private tell(message: ToWorker): void {
    for (const slot of this.slots) slot.send(message);
  }

  private know(chains: readonly LocalChain[]): void {
    const casts = new Map<LocalChain, ChainCast>();
    const send = (message: ToWorker): void => this.tell(message);
    for (const chain of chains) chain.isServedByWorkers = true;
    for (const chain of chains) casts.set(chain, this.casts.get(chain) ?? new ChainCast(chain.watch, { world: this.parts.world, cells: this.cells, send }));
    // a removed chain answers what it has taken: its workers hear of its nodes until its watch closes
    this.casts = casts;
    this.order = chains;
  }

  private pictures() {
    return this.order.flatMap((chain) => this.casts.get(chain)?.picture() ?? []);
  }

  private chainOf(id: number): LocalChain | undefined {
    for (const [chain, cast] of this.casts) if (cast.id === id) return chain;
    return undefined;
  }
}
