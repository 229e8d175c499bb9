import { type Anchors, judgeAnchors } from '../proof/anchor.ts';
import { noCounts } from '../proof/blockLine.ts';
import { statusFrom } from '../proof/forks.ts';
import { layoutProblems } from '../snapshot/clients.ts';
import type { Leaf } from '../snapshot/leaves.ts';
import type { FileEntry, LevelRecord, SnapshotBody, Verification } from '../snapshot/manifest.ts';
import { SCAN_BYTES, secretIn } from '../snapshot/secrets.ts';
import { type BlocksOutcome, proveBlocks } from './blocks.ts';
import { type ChunkOutcome, hashChunks, type RunJournal } from './chunks.ts';
import type { Place, StateResult } from './jobs.ts';
import { levelBodies, levelBytes, levelHeaders, levelLayout, levelReceipts, levelState, record } from './levels.ts';
import type { ReadChunk } from './lines.ts';
import type { VerifyPool } from './pool.ts';
import { proveState } from './state.ts';

/** Names of the files of a proof. */
export const PROOF_FILES = { blocks: 'blocks.ndjson', state: 'state.ndjson' } as const;

/** How far a verification is. */
export interface VerifyProgress {
  readonly bytes: number;
  readonly totalBytes: number;
  readonly headers: number;
}

/** Why data did not boot; inconclusive = for reasons that lie outside of it: it says nothing of the data. */
export interface BootFault {
  readonly fault: string;
  readonly isInconclusive: boolean;
}

/** Boots the data apart from everything and says what head it comes up with, or why it does not. */
export type TrialBoot = () => Promise<{ readonly number: number; readonly hash: string } | BootFault>;

export interface VerifyWork {
  readonly snapshot: SnapshotBody;
  /** Why the manifest is not trusted; null when it is. */
  readonly trust: string | null;
  readonly pool: VerifyPool;
  readonly place: (leaf: Leaf) => Place;
  readonly read: ReadChunk;
  readonly journal: RunJournal;
  readonly anchors: Anchors;
  /** null = there is nothing to boot it with. */
  readonly trialBoot: TrialBoot | null;
  readonly nowMs: () => number;
  readonly onProgress: (progress: VerifyProgress) => void;
  /** Only the proof: the data is not at hand. */
  readonly isProofOnly?: boolean;
  readonly signal?: AbortSignal;
}

const NOTHING: BlocksOutcome = { first: null, last: null, counts: noCounts(), faults: [], wanted: [] };

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const secretsIn = async (files: readonly FileEntry[], read: ReadChunk): Promise<string[]> => {
  const found: string[] = [];
  for (const file of files.filter(({ sizeBytes }) => sizeBytes <= SCAN_BYTES)) {
    try {
      const parts = await Promise.all(file.chunks.map(read));
      const secret = secretIn(file.path, Buffer.concat(parts).toString('latin1'));
      if (secret !== null) found.push(`file ${file.path}: seems to hold ${secret}`);
    } catch (error) {
      found.push(`file ${file.path}: ${messageOf(error)}`);
    }
  }
  return found;
};

const layout = async ({ snapshot, read, isProofOnly }: VerifyWork): Promise<LevelRecord> => {
  const paths = snapshot.files.map(({ path }) => path);
  const problems = layoutProblems(snapshot.client.kind, paths);
  if (isProofOnly !== true) return levelLayout([...problems, ...(await secretsIn(snapshot.files, read))], paths.length);
  if (problems.length > 0) return levelLayout(problems, paths.length);
  return record('L1', 'notProvable', `${paths.length} files are named as the client lays them out, but their bytes are not at hand`, { files: paths.length });
};

/** L2: what a node that was booted from it, apart from everything, says of its head. */
export function bootRecord(head: Pick<SnapshotBody['head'], 'number' | 'hash'>, result: Awaited<ReturnType<TrialBoot>>): LevelRecord {
  if ('fault' in result && result.isInconclusive) return record('L2', 'notRun', `the trial boot could not be held: ${result.fault}`);
  if ('fault' in result) return record('L2', 'failed', `the trial boot failed: ${result.fault}`);
  if (result.number === head.number && result.hash === head.hash) return record('L2', 'proven', `a node booted from it has head ${head.number}`);
  return record('L2', 'failed', `snapshot.head: is ${head.number} ${head.hash}, but a node booted from it has ${result.number} ${result.hash}`);
}

const boot = async ({ snapshot: { head }, trialBoot }: VerifyWork): Promise<LevelRecord> =>
  trialBoot === null ? record('L2', 'notRun', 'no node was booted from it') : bootRecord(head, await trialBoot());

const proofFile = ({ proof }: SnapshotBody, name: string): FileEntry | null => proof.find(({ path }) => path === name) ?? null;

/** A snapshot that says itself that it is of another chain, whether its first block was captured or not. */
const otherGenesis = ({ chain }: SnapshotBody, { checkpoints }: Anchors): LevelRecord | null => {
  const told = checkpoints.find(({ number, hash }) => number === 0 && hash.toLowerCase() !== chain.genesisHash);
  return told === undefined ? null : record('L3', 'failed', `snapshot.chain.genesisHash: is ${chain.genesisHash}, but the ${told.from} is ${told.hash}`);
};

const headerLevels = async (work: VerifyWork, onHeaders: (headers: number) => void): Promise<readonly [LevelRecord, LevelRecord, LevelRecord]> => {
  const { snapshot, anchors, pool, read, signal } = work;
  const file = proofFile(snapshot, PROOF_FILES.blocks);
  if (file === null) {
    const none = record('L3', 'notRun', 'no block was captured');
    return [none, levelBodies(NOTHING, none), levelReceipts(NOTHING, none)];
  }
  const wanted = [0, snapshot.head.number, ...anchors.checkpoints.map(({ number }) => number), ...anchors.peers.map(({ number }) => number)];
  const outcome = await proveBlocks(file, { pool, read, wanted, statusFromBlock: statusFrom(snapshot.chain.chainId), onHeaders, ...(signal === undefined ? {} : { signal }) });
  const headers = otherGenesis(snapshot, anchors) ?? levelHeaders(snapshot, outcome, judgeAnchors(outcome.wanted, anchors));
  return [headers, levelBodies(outcome, headers), levelReceipts(outcome, headers)];
};

const stateLevel = async ({ snapshot, pool, read, signal }: VerifyWork, headers: LevelRecord): Promise<LevelRecord> => {
  const file = proofFile(snapshot, PROOF_FILES.state);
  const result: StateResult | null =
    file === null ? null : await proveState(file, { pool, read, stateRoot: snapshot.head.stateRoot, ...(signal === undefined ? {} : { signal }) });
  return levelState(result, headers);
};

/** A proof that cannot be read fails what rests on it. */
const orFailed = async <T>(run: () => Promise<T>, failed: (why: string) => T): Promise<T> => {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    return failed(messageOf(error));
  }
};

/**
 * Verifies a snapshot to every level that can be reached with what is at hand. Nothing is taken on trust: each level says
 * what it rests on, and what could not be shown is recorded as such.
 */
export async function verifySnapshot(work: VerifyWork): Promise<Verification> {
  const { snapshot, pool, place, journal, onProgress, signal } = work;
  const covered = work.isProofOnly === true ? { files: [], proof: snapshot.proof } : snapshot;
  const totalBytes = [...covered.files, ...covered.proof].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let progress: VerifyProgress = { bytes: 0, totalBytes, headers: 0 };
  const tell = (change: Partial<VerifyProgress>): void => {
    progress = { ...progress, ...change };
    onProgress(progress);
  };
  const chunks: ChunkOutcome = await hashChunks(covered, { pool, place, journal, onBytes: (bytes) => tell({ bytes }), ...(signal === undefined ? {} : { signal }) });
  const bytes = work.isProofOnly === true ? proofOnly(chunks, work.trust) : levelBytes(snapshot, chunks, work.trust);
  const files = await layout(work);
  const booted = await boot(work);
  const [headers, bodies, receipts] = await orFailed(
    () => headerLevels(work, (count) => tell({ headers: count })),
    (why) => [record('L3', 'failed', why), record('L4', 'failed', why), record('L5', 'failed', why)] as const,
  );
  const state = await orFailed(() => stateLevel(work, headers), (why) => record('L6', 'failed', why));
  return { atMs: work.nowMs(), levels: [bytes, files, booted, headers, bodies, receipts, state] };
}

const proofOnly = ({ problems, leafCount, bytes }: ChunkOutcome, trust: string | null): LevelRecord => {
  const why = trust ?? problems[0];
  const counts = { leaves: leafCount, bytes };
  return why === undefined ? record('L0', 'notProvable', 'the manifest is signed and the proof is whole, but the data is not at hand', counts) : record('L0', 'failed', why, counts);
};
