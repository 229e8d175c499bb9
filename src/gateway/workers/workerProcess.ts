import cluster from 'node:cluster';
import type { Worker } from 'node:cluster';
import type { FromWorker, ToWorker } from './protocol.ts';
import { WORKER_ENV } from './protocol.ts';

/** What a worker process is started with. */
export interface WorkerStart {
  /** The program; it must find out by `WORKER_ENV` what it is. */
  readonly file: string;
  readonly slot: number;
  /** Open file that the worker gets as `CELL_FD`. */
  readonly cellFd: number;
}

/** What a worker process tells. */
export interface WorkerListener {
  onMessage(message: FromWorker): void;
  /** It is gone, or could not be started. Called once; nothing follows. */
  onExit(code: number | null, signal: string | null): void;
}

/** Time in which what a process had sent before its end arrives. */
const LAST_WORDS_MS = 1_000;

/** One worker process from its start to its end. */
export class WorkerProcess {
  private readonly worker: Worker;
  /** The process has ended. */
  private dead = false;
  /** And nothing more is heard of it. */
  private over = false;

  constructor(start: WorkerStart, listener: WorkerListener) {
    // Shared handles, not turns: a connection that the first process had accepted for a worker would be lost with that worker.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ exec: start.file, args: [], serialization: 'advanced', stdio: ['ignore', 'inherit', 'inherit', 'ipc', start.cellFd] as never });
    this.worker = cluster.fork({ [WORKER_ENV]: String(start.slot) });
    const end = (code: number | null, signal: string | null): void => {
      if (this.over) return;
      this.over = true;
      clearTimeout(timer);
      listener.onExit(code, signal);
    };
    let timer: NodeJS.Timeout | undefined;
    this.worker.on('message', (message: FromWorker) => {
      if (!this.over) listener.onMessage(message);
    });
    this.worker.on('error', () => this.kill());
    this.worker.process.on('error', () => {
      if (this.worker.process.pid === undefined) end(null, null);
    });
    this.worker.on('exit', (code: number | null, signal: string | null) => {
      this.dead = true;
      // its last words may still be on their way
      if (!this.worker.isConnected()) return end(code, signal);
      this.worker.once('disconnect', () => end(code, signal));
      timer = setTimeout(() => end(code, signal), LAST_WORDS_MS);
    });
  }

  get pid(): number {
    return this.worker.process.pid ?? -1;
  }

  /** What cannot be sent is lost with its worker. */
  send(message: ToWorker): void {
    if (this.dead || !this.worker.isConnected()) return;
    this.worker.process.send(message, () => undefined);
  }

  /** Ends it at once. Its process id is its own until it has ended: nobody else can have it. */
  kill(): void {
    if (!this.dead) this.worker.process.kill('SIGKILL');
  }
}
