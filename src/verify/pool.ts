import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import type { Job, JobResults } from './jobs.ts';

/** Threads take compiled code only: from the sources, that of the last build. */
const workerFile = (): string => {
  const own = import.meta.url;
  return fileURLToPath(own.endsWith('.ts') ? new URL('../../dist/verify/worker.js', own) : new URL('./worker.js', own));
};

const IDLE_MS = 5000;

/** Jobs handed to each thread at once: one at work, one waiting. Bounds what lies in memory. */
const JOBS_PER_THREAD = 2;

/** Threads that hash and prove. The thread that calls only hands out work. */
export class VerifyPool {
  readonly threads: number;
  readonly #piscina: Piscina;
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** @param threads 0 = one for each processor */
  constructor(threads: number) {
    this.threads = threads === 0 ? availableParallelism() : threads;
    this.#free = this.threads * JOBS_PER_THREAD;
    this.#piscina = new Piscina({ filename: workerFile(), name: 'runJob', minThreads: 0, maxThreads: this.threads, idleTimeout: IDLE_MS, recordTiming: false });
  }

  /** Resolves when a job may be made; each call is answered by one `run`. */
  async slot(): Promise<void> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
  }

  /** Runs a job in a thread. Its bytes go there and are gone here. */
  async run<Kind extends Job['kind']>(job: Extract<Job, { readonly kind: Kind }>, signal?: AbortSignal): Promise<JobResults[Kind]> {
    try {
      const transferList = 'bytes' in job && job.bytes.buffer instanceof ArrayBuffer ? [job.bytes.buffer] : [];
      return (await this.#piscina.run(job, { transferList, ...(signal === undefined ? {} : { signal }) })) as JobResults[Kind];
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  async close(): Promise<void> {
    await this.#piscina.destroy();
  }
}
