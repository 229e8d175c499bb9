import type { FileEntry } from '../snapshot/manifest.ts';
import type { StateResult } from './jobs.ts';
import { MAX_FAULTS } from './jobs.ts';
import { type ReadChunk, slicesOf } from './lines.ts';
import type { VerifyPool } from './pool.ts';

export interface StateWork {
  readonly pool: VerifyPool;
  readonly read: ReadChunk;
  readonly stateRoot: string;
  readonly signal?: AbortSignal;
}

/** An account that is sampled again would count twice for the damage that samples would have found. */
const repeated = (addresses: readonly string[]): StateResult['faults'] => {
  const seen = new Set<string>();
  const again = addresses.find((address) => seen.size === seen.add(address).size);
  return again === undefined ? [] : [{ verdict: 'failed', where: `state sample of ${again}: address`, message: 'was there before, and would count twice' }];
};

/** Proves the samples of a file in the pool. */
export async function proveState(file: FileEntry, { pool, read, stateRoot, signal }: StateWork): Promise<StateResult> {
  const work: Promise<StateResult>[] = [];
  for await (const { bytes, firstLine } of slicesOf(file, read)) {
    await pool.slot();
    const job = pool.run<'state'>({ kind: 'state', bytes, stateRoot, firstLine }, signal);
    job.catch(() => {});
    work.push(job);
  }
  const results = await Promise.all(work);
  const counts = { accounts: 0, absent: 0, slots: 0, flat: 0 };
  for (const result of results) for (const name of Object.keys(counts) as (keyof typeof counts)[]) counts[name] += result.counts[name];
  const addresses = results.flatMap((result) => result.addresses);
  return { counts, addresses, faults: [...results.flatMap(({ faults }) => faults), ...repeated(addresses)].slice(0, MAX_FAULTS) };
}
