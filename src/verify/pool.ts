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
  readonly #underWay = new Set<Promise<unknown>>();

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

  /**
   * Runs a job in a thread. Its bytes go there and are gone here. A signal keeps it from being begun; one that runs is let finish,
   * since it is short and a thread that is ended in the midst may still have its answer under way.
   */
  async run<Kind extends Job['kind']>(job: Extract<Job, { readonly kind: Kind }>, signal?: AbortSignal): Promise<JobResults[Kind]> {
    try {
      signal?.throwIfAborted();
      const transferList = 'bytes' in job && job.bytes.buffer instanceof ArrayBuffer ? [job.bytes.buffer] : [];
      const running = this.#piscina.run(job, { transferList }) as Promise<JobResults[Kind]>;
      this.#underWay.add(running);
      try {
        return await running;
      } finally {
        this.#underWay.delete(running);
      }
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  /** Ends the threads when what runs in them is done. */
  async close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#piscina.destroy();
  }
}
