import { createHash } from 'node:crypto';
import { createKeccak } from 'hash-wasm';
import type { Hashes } from '../proof/blockLine.ts';
import { runChunks } from './chunksJob.ts';
import type { Job, JobResults } from './jobs.ts';
import { runBlocks, runState } from './proofJobs.ts';

// 1.3 to 2 µs for a node of a trie or a header; @noble/hashes takes 13 to 34.
const hasher = await createKeccak(256);

const hashes: Hashes = {
  keccak: (bytes) => hasher.init().update(bytes).digest('binary'),
  sha256: (bytes) => createHash('sha256').update(bytes).digest(),
};

/** What a thread of the pool runs. */
export function runJob(job: Job): JobResults[Job['kind']] {
  if (job.kind === 'chunks') return runChunks(job);
  return job.kind === 'blocks' ? runBlocks(hashes, job) : runState(hashes, job);
}
