import { createHash } from 'node:crypto';
import { toHex } from '../snapshot/bytes.ts';
import { leavesOf, type Leaf } from '../snapshot/leaves.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { rootRecord, treeTop } from '../snapshot/merkle.ts';
import type { Place, PlacedLeaf } from './jobs.ts';
import type { VerifyPool } from './pool.ts';

/** Leaves that one job hashes: a power of two, so that their tops are nodes of the tree. */
const RUN_LEAVES = 16;

/** Runs that were found good before, by their place; what a verification that was cut short left. */
export interface RunJournal {
  top(run: number): Uint8Array | undefined;
  add(run: number, top: Uint8Array): void;
}

export interface ChunkWork {
  readonly pool: VerifyPool;
  readonly place: (leaf: Leaf) => Place;
  readonly journal: RunJournal;
  /** Called with the bytes hashed so far. */
  readonly onBytes: (bytes: number) => void;
  readonly signal?: AbortSignal;
}

/** What hashing all chunks came to. */
export interface ChunkOutcome {
  /** Root over what is really there; '' over nothing. */
  readonly root: string;
  readonly leafCount: number;
  readonly bytes: number;
  readonly resumedRuns: number;
  readonly problems: readonly string[];
}

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();

/** Hashes every chunk of a snapshot in the pool and builds the tree out of the subtrees as they come. */
export async function hashChunks(snapshot: Pick<SnapshotBody, 'files' | 'proof'>, { pool, place, journal, onBytes, signal }: ChunkWork): Promise<ChunkOutcome> {
  const leaves = leavesOf(snapshot);
  const tops: Uint8Array[] = [];
  const problems: string[] = [];
  const work: Promise<void>[] = [];
  let bytes = 0;
  let resumedRuns = 0;
  const runOne = async (run: number, placed: readonly PlacedLeaf[]): Promise<void> => {
    const result = await pool.run<'chunks'>({ kind: 'chunks', leaves: placed }, signal);
    tops[run] = result.top;
    if (result.problems.length === 0) journal.add(run, result.top);
    problems.push(...result.problems);
    bytes += result.bytes;
    onBytes(bytes);
  };
  for (let run = 0; run * RUN_LEAVES < leaves.length; run++) {
    const done = journal.top(run);
    if (done !== undefined) {
      tops[run] = done;
      resumedRuns++;
      continue;
    }
    await pool.slot();
    const placed = leaves.slice(run * RUN_LEAVES, (run + 1) * RUN_LEAVES).map((leaf) => ({ leaf, place: leaf.chunk === null ? null : place(leaf) }));
    const job = runOne(run, placed);
    job.catch(() => {});
    work.push(job);
  }
  await Promise.all(work);
  signal?.throwIfAborted();
  const root = tops.length === 0 ? '' : toHex(rootRecord(sha256, leaves.length, treeTop(sha256, tops)));
  return { root, leafCount: leaves.length, bytes, resumedRuns, problems };
}
