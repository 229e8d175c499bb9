import { toHex } from '../snapshot/bytes.ts';
import type { Candidate } from '../snapshot/choose.ts';
import { leafHash, leavesOf } from '../snapshot/leaves.ts';
import type { FileEntry, SnapshotBody } from '../snapshot/manifest.ts';
import { merkleRoot } from '../snapshot/merkle.ts';
import { snapshotId } from '../snapshot/sign.ts';
import { StoreFault } from './fault.ts';
import { sha256 } from './hash.ts';
import { Intake, type IntakeCounts } from './intake.ts';
import { signManifest, type SigningKey } from './keys.ts';
import { chunksOf, type SnapshotStore } from './store.ts';
import { walk } from './walk.ts';

/** What the data is of, and what shows it. */
export interface CaptureProof {
  readonly facts: Pick<SnapshotBody, 'chain' | 'client' | 'head' | 'source'>;
  /** Blocks, receipts and state proofs of the same head; null = none. */
  readonly proofDirectory: string | null;
}

/** What is captured. */
export interface CaptureRequest {
  readonly chain: string;
  readonly clientKind: string;
  /** The data; nothing may write to it while it is read. */
  readonly directory: string;
  /** Asked when the data is in; from then on the directory may be used up, such as by a node that is booted on it to ask it. */
  readonly prove: () => Promise<CaptureProof>;
  /** What was left out before. */
  readonly excluded?: SnapshotBody['excluded'];
  readonly signal?: AbortSignal;
  /** An incremental without a parent becomes a full one. */
  readonly kind: SnapshotBody['kind'];
  readonly gzip: boolean;
  readonly key: SigningKey;
  readonly onProgress: (counts: Readonly<IntakeCounts>) => void;
}

/** A snapshot that is in the store now, not yet verified. */
export interface Captured {
  readonly candidate: Candidate;
  readonly counts: Readonly<IntakeCounts>;
}

const parentOf = (past: readonly Candidate[], kind: CaptureRequest['kind'], { facts }: CaptureProof): Candidate | null => {
  const newest = past.at(-1) ?? null;
  if (newest === null) return null;
  const { chain, head } = newest.manifest.snapshot;
  if (chain.chainId !== facts.chain.chainId || chain.genesisHash !== facts.chain.genesisHash)
    throw new StoreFault('unfit', `chain ${chain.name} has chain id ${chain.chainId} and genesis ${chain.genesisHash} in this store`);
  return kind === 'full' || head.number > facts.head.number ? null : newest;
};

const treeOf = (files: Pick<SnapshotBody, 'files' | 'proof'>): SnapshotBody['tree'] => {
  const leaves = leavesOf(files).map((leaf) => leafHash(sha256, leaf));
  return { leafCount: leaves.length, root: toHex(merkleRoot(sha256, leaves)) };
};

const takeAll = async (intake: Intake, directory: string, clientKind: string): Promise<{ files: FileEntry[]; excluded: SnapshotBody['excluded'] }> => {
  const { paths, excluded } = await walk(directory, clientKind);
  const files: FileEntry[] = [];
  for (const path of paths) files.push(await intake.file(directory, path, clientKind));
  return { files, excluded };
};

/** The manifest appears last, when all it needs is on the disk; a collection that took something meanwhile gives it back. */
const publish = async (store: SnapshotStore, snapshot: SnapshotBody, key: SigningKey): Promise<Candidate> => {
  const candidate = { id: snapshotId(sha256, snapshot), manifest: signManifest({ snapshot, verification: null }, key) };
  const lost = await store.missing(chunksOf(snapshot));
  if (lost.length > 0) throw new StoreFault('missing', `object ${lost[0]}: went away during the capture`);
  await store.manifests.add(candidate);
  const lostSince = await store.missing(chunksOf(snapshot));
  if (lostSince.length === 0) return candidate;
  await store.manifests.remove(candidate);
  throw new StoreFault('missing', `object ${lostSince[0]}: went away during the capture`);
};

/**
 * Captures a directory: a complete view of it, of which only chunks that are new take room.
 * A full one reads what it shares with others anew and mends it; an incremental trusts lengths.
 * @throws StoreFault when it cannot; nothing that counts is left behind then
 */
export async function capture(store: SnapshotStore, request: CaptureRequest): Promise<Captured> {
  const { chain, clientKind, kind, gzip, onProgress, signal } = request;
  const lock = await store.lockCapture(chain);
  try {
    const past = await store.trusted(chain);
    const known = past.slice(-1).flatMap(({ manifest }) => chunksOf(manifest.snapshot));
    const intake = new Intake(store.objects, known, { gzip, isDeep: kind === 'full' || past.length === 0, nowMs: store.nowMs, onProgress, ...(signal === undefined ? {} : { signal }) });
    const { files, excluded } = await takeAll(intake, request.directory, clientKind);
    if (files.length === 0) throw new StoreFault('unfit', `${request.directory}: holds no file that belongs into a snapshot`);
    const proven = await request.prove();
    const parent = parentOf(past, kind, proven);
    const proof = proven.proofDirectory === null ? [] : (await takeAll(intake, proven.proofDirectory, 'proof')).files;
    const snapshot: SnapshotBody = {
      format: 'tidegate-snapshot',
      version: 1,
      ...proven.facts,
      sequence: (await store.manifests.lastSequence(chain)) + 1,
      kind: parent === null ? 'full' : 'incremental',
      parent: parent === null ? null : { id: parent.id, sequence: parent.manifest.snapshot.sequence, headNumber: parent.manifest.snapshot.head.number, headHash: parent.manifest.snapshot.head.hash },
      createdAtMs: store.nowMs(),
      files,
      proof,
      excluded: [...(request.excluded ?? []), ...excluded],
      tree: treeOf({ files, proof }),
    };
    return { candidate: await publish(store, snapshot, request.key), counts: intake.counts };
  } finally {
    await lock.release();
  }
}
