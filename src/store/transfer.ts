import { copyFile, readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import type { Chunk } from '../snapshot/manifest.ts';
import { manifestText } from '../snapshot/read.ts';
import type { TrustedKey } from '../snapshot/sign.ts';
import { makeFolder, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { judgeManifest, type Listed } from './manifests.ts';
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

/** Opens a directory that `exportSnapshot` wrote, here or elsewhere. */
export async function openExported(directory: string, keys: readonly TrustedKey[]): Promise<Exported> {
  const path = join(directory, MANIFEST);
  const judged = judgeManifest(await atPath(path, () => readFile(path, 'utf8')), null, keys);
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

/** Takes a snapshot from a directory into the store; each object is hashed on its way. @throws StoreFault when it is not whole or not trusted */
export async function importSnapshot(store: SnapshotStore, { candidate, problem, objects, isProofOnly }: Exported): Promise<Candidate> {
  if (candidate === null || problem !== null) throw new StoreFault('refused', problem ?? 'manifest: cannot be read');
  if (isProofOnly) throw new StoreFault('refused', 'it holds the proof only, not the data');
  const lock = await store.lockCapture(candidate.manifest.snapshot.chain.name);
  try {
    for (const chunk of chunksOf(candidate.manifest.snapshot)) {
      if (await store.objects.has(chunk)) await store.objects.touch(chunk, store.nowMs());
      else await writeWhole(store.objects.locate(chunk).path, await objects.readStored(chunk), { mode: 0o444 });
    }
    await store.manifests.add(candidate);
    return candidate;
  } finally {
    await lock.release();
  }
}
