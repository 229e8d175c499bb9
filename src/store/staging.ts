import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import { clientLayout } from '../snapshot/clients.ts';
import { PARTIAL, makeFolder, syncPath } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { isThere, STAGED, stagedPath } from './dataNames.ts';
import { makeLayer, mountLayer, unmountLayer } from './layer.ts';
import { materialize, placeFiles } from './materialize.ts';
import { mountObstacle } from './mounting.ts';
import { mountAt } from './mountTable.ts';
import type { SnapshotStore } from './store.ts';
import type { Tree } from './tree.ts';

/** How restored data gets to its place. */
export type RestoreMethod = 'mount' | 'reflink' | 'copy';

/** What is to be staged, and for whom. */
export interface StageRequest {
  readonly candidate: Candidate;
  readonly dataDir: string;
  readonly operation: string;
  /** Name of the node: it holds what it mounts. */
  readonly node: string;
  /** `auto`: a mount for clients whose large files are never written again, else a reflink, else a copy. */
  readonly method: RestoreMethod | 'auto';
  /** Called with the data before it counts as staged; what it throws refuses it. */
  readonly finish?: (directory: string) => Promise<void>;
}

/** How data was staged. */
export interface Staged {
  readonly method: RestoreMethod;
  /** Why the ways before it were passed over. */
  readonly passed: readonly string[];
}

/** What a way that is closed here is refused with: the file system, the rights or the tree, not the data. */
export const CLOSED: ReadonlySet<string> = new Set(['unmountable', 'ENOTSUP', 'EOPNOTSUPP', 'EXDEV', 'EINVAL', 'ENOSYS', 'ENOTTY', 'noTree']);

const waysFor = ({ method, candidate }: StageRequest): readonly RestoreMethod[] => {
  if (method !== 'auto') return [method];
  return clientLayout(candidate.manifest.snapshot.client.kind).isMountable ? ['mount', 'reflink', 'copy'] : ['reflink', 'copy'];
};

const soundTree = async ({ trees }: SnapshotStore, { id, manifest }: Candidate): Promise<Tree> => {
  const tree = await trees.find(manifest.snapshot.chain.name, id);
  if (tree === null) throw new StoreFault('noTree', `snapshot ${id.slice(0, 12)} is not kept as a tree of files`);
  if (tree.problem !== null) throw new StoreFault('noTree', `the tree of snapshot ${id.slice(0, 12)} is damaged: ${tree.problem}`);
  return tree;
};

/** Mounted once where it lies beside the live data, so that a file system that cannot is found before anything is stopped. */
const stageLayer = async (store: SnapshotStore, request: StageRequest, target: string): Promise<void> => {
  const { candidate, node, operation, dataDir } = request;
  const obstacle = mountObstacle([store.trees.pathOf(candidate.manifest.snapshot.chain.name, candidate.id), await realpath(dirname(dataDir)), basename(dataDir)]);
  if (obstacle !== null) throw new StoreFault('unmountable', obstacle);
  await store.trees.pin(candidate.id, node);
  const beside = `${target}${PARTIAL}`;
  try {
    const tree = await soundTree(store, candidate);
    await mkdir(beside);
    await makeLayer(beside, { operation, chain: tree.chain, snapshotId: candidate.id, lower: await realpath(tree.path) });
    await mountLayer(beside);
    await unmountLayer(beside);
    await rename(beside, target);
    await syncPath(dirname(target));
  } catch (error) {
    await unmountLayer(beside);
    throw error;
  }
};

/** Shares the blocks of the tree's files: takes the same time for any size. The tree was hashed when it was built, and is again on a schedule. */
const stageReflink = async (store: SnapshotStore, { candidate }: StageRequest, target: string): Promise<void> => {
  const tree = await soundTree(store, candidate);
  const put = async (file: { readonly path: string }, full: string): Promise<void> => {
    // forced: a copy in its place would go unseen
    await copyFile(join(tree.path, file.path), full, constants.COPYFILE_FICLONE_FORCE);
    await syncPath(full);
  };
  await placeFiles(candidate.manifest.snapshot.files, target, { isReadOnly: false, neededBytes: 0, put });
};

const stageBy = async (way: RestoreMethod, store: SnapshotStore, request: StageRequest, target: string): Promise<void> => {
  if (way === 'mount') return stageLayer(store, request, target);
  if (way === 'reflink') return stageReflink(store, request, target);
  await materialize(store.objects, request.candidate.manifest.snapshot, target, { isReadOnly: false, onProgress: () => undefined });
};

/** Takes away what operations that were given up have staged; a mount that a crash left on it first. */
const clearStaged = async (dataDir: string): Promise<void> => {
  const folder = dirname(dataDir);
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(dataDir)}${STAGED}`)) continue;
    await unmountLayer(join(folder, name));
    await rm(join(folder, name), { recursive: true, force: true });
  }
};

/** A directory that is the root of a file system of its own cannot be renamed away. */
const refuseOwnMount = async (dataDir: string): Promise<void> => {
  const directory = await realpath(dataDir).catch(() => null);
  const mount = directory === null ? null : await mountAt(directory);
  if (mount === null || mount.source.startsWith('tidegate-')) return;
  throw new StoreFault('unfit', `${dataDir}: is where ${mount.source} is mounted and cannot be renamed; let the data lie in a folder below`);
};

/**
 * Puts a snapshot ready beside a data directory. Copied data has every chunk hashed on its way; it all is on the disk before
 * it has its name.
 * @returns null = it was ready before
 * @throws StoreFault when no way is open, naming why; nothing is left behind then
 */
export async function stageData(store: SnapshotStore, request: StageRequest): Promise<Staged | null> {
  const { dataDir, operation } = request;
  const target = stagedPath(dataDir, operation);
  return atPath(target, async () => {
    await refuseOwnMount(dataDir);
    const ways = waysFor(request);
    if (await isThere(target)) return null;
    await makeFolder(dirname(dataDir));
    await clearStaged(dataDir);
    const passed: string[] = [];
    const whole = `${target}.whole${PARTIAL}`;
    for (const way of ways) {
      try {
        await stageBy(way, store, request, whole);
        await request.finish?.(whole);
        await rename(whole, target);
        await syncPath(dirname(target));
        return { method: way, passed };
      } catch (error) {
        // what is half written takes room that somebody else may need
        for (const part of [whole, `${whole}${PARTIAL}`]) await rm(part, { recursive: true, force: true });
        if (!(error instanceof StoreFault) || !CLOSED.has(error.code) || way === ways.at(-1)) throw error;
        passed.push(`${way}: ${error.message}`);
      }
    }
    throw new StoreFault('unfit', `${dataDir}: ${passed.join('; ')}`);
  });
}
