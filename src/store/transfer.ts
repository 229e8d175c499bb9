import { copyFile, readdir } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import type { Chunk } from '../snapshot/manifest.ts';
import { manifestText } from '../snapshot/read.ts';
import type { TrustedKey } from '../snapshot/sign.ts';
import { makeFolder, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { judgeManifest, type Listed, readManifestFile } from './manifests.ts';
import { ObjectFolder, objectName } from './objects.ts';
import { chunksOf, type SnapshotStore } from './store.ts';

const MANIFEST = 'manifest.json';

/** A snapshot outside a store: its manifest and objects in a directory. */
export interface Exported extends Pick<Listed, 'candidate' | 'problem'> {
  readonly objects: ObjectFolder;
  /** Only the objects of its proof are there. */
  readonly isProofOnly: boolean;
}

const copyObject = async (from: ObjectFolder, to: ObjectFolder, chunk: Chunk): Promise<void> => {
  const name = objectName(chunk);
  // Read and hashed: what is damaged does not travel.
  await from.readStored(chunk);
  const target = to.pathOf(name);
  await atPath(target, async () => {
    await makeFolder(dirname(target));
    await copyFile(from.pathOf(name), target, constants.COPYFILE_FICLONE);
  });
};

/** Copies a snapshot to a directory that can travel. @throws StoreFault when the directory holds something */
export async function exportSnapshot(store: SnapshotStore, { manifest }: Candidate, directory: string, isProofOnly: boolean): Promise<void> {
  const there = await readdir(directory).catch(() => []);
  if (there.length > 0) throw new StoreFault('EEXIST', `${directory}: is not empty`);
  const { files, proof } = manifest.snapshot;
  const chunks = chunksOf({ files: isProofOnly ? [] : files, proof });
  const objects = new ObjectFolder(join(directory, 'objects'));
  for (const chunk of new Map(chunks.map((one) => [objectName(one), one])).values()) await copyObject(store.objects, objects, chunk);
  await writeWhole(join(directory, MANIFEST), manifestText(manifest));
}

/** A store is a directory with manifests too. */
const tellStore = async (directory: string, error: unknown): Promise<never> => {
  const isStore = (await readdir(directory).catch((): string[] => [])).includes('manifests');
  throw isStore ? new StoreFault('unfit', `${directory}: is a store, not an export of one snapshot; name the store with --store`) : error;
};

/** Opens a directory that `exportSnapshot` wrote, here or elsewhere. */
export async function openExported(directory: string, keys: readonly TrustedKey[]): Promise<Exported> {
  const path = join(directory, MANIFEST);
  const judged = judgeManifest(await readManifestFile(path).catch((error: unknown) => tellStore(directory, error)), null, keys);
  const objects = new ObjectFolder(join(directory, 'objects'));
  const [first] = judged.candidate?.manifest.snapshot.files.flatMap(({ chunks }) => chunks) ?? [];
  const isProofOnly = first !== undefined && !(await objects.has(first)) && (await noneOf(objects, judged.candidate));
  return { ...judged, objects, isProofOnly };
}

const noneOf = async (objects: ObjectFolder, candidate: Candidate | null): Promise<boolean> => {
  const { files = [], proof = [] } = candidate?.manifest.snapshot ?? {};
  const shared = new Set(proof.flatMap(({ chunks }) => chunks.map(({ id }) => id)));
  for (const chunk of files.flatMap(({ chunks }) => chunks)) if (!shared.has(chunk.id) && (await objects.has(chunk))) return false;
  return true;
};

/** Whether a chunk is in a store as a manifest names it. @throws StoreFault when it is there as other manifests name it */
const isSound = async (objects: ObjectFolder, chunk: Chunk): Promise<boolean> => {
  try {
    await objects.readStored(chunk);
    return true;
  } catch (error) {
    if (!(error instanceof StoreFault)) throw error;
  }
  const other = chunk.gzip === null ? null : await objects.packed(chunk.id, chunk.sizeBytes);
  if (other !== null) throw new StoreFault('EEXIST', `object ${objectName(chunk)}: is in the store as another version of gzip packed it; import into a store of its own`);
  return false;
};

/** Takes a snapshot from a directory into the store; each object is hashed on its way. @throws StoreFault when it is not whole or not trusted */
export async function importSnapshot(store: SnapshotStore, { candidate, problem, objects, isProofOnly }: Exported): Promise<Candidate> {
  if (candidate === null || problem !== null) throw new StoreFault('refused', problem ?? 'manifest: cannot be read');
  if (isProofOnly) throw new StoreFault('refused', 'it holds the proof only, not the data');
  const lock = await store.lockCapture(candidate.manifest.snapshot.chain.name);
  try {
    for (const chunk of chunksOf(candidate.manifest.snapshot)) {
      if (await isSound(store.objects, chunk)) await store.objects.touch(chunk, store.nowMs());
      else await writeWhole(store.objects.locate(chunk).path, await objects.readStored(chunk), { mode: 0o444 });
    }
    await store.manifests.add(candidate);
    return candidate;
  } finally {
    await lock.release();
  }
}
