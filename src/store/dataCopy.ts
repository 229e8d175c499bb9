import { constants } from 'node:fs';
import { copyFile, lstat, readdir, readFile, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { PARTIAL, makeFolder, syncPath, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { walk } from './walk.ts';

const COPY = '.tidegate-copy-';
const RECORD = 'copy.json';

/** How far what was copied is on its way to a snapshot: `booted`: a node ran on it, so it is no longer what was copied. */
type CopyState = 'ready' | 'booted' | 'done';

/** A copy of a node's data, and what it is for. */
export interface DataCopy {
  readonly operationId: string;
  readonly node: string;
  readonly chain: string;
  readonly kind: SnapshotBody['kind'];
  readonly why: string;
  readonly copiedAtMs: number;
  readonly excluded: SnapshotBody['excluded'];
  readonly state: CopyState;
}

const pathOf = (dataDir: string, operationId: string): string => `${dataDir}${COPY}${operationId}`;

/** Where the files of a copy lie. */
export function copiedData(dataDir: string, operationId: string): string {
  return join(pathOf(dataDir, operationId), 'data');
}

/** One file; shares its blocks with the original where the file system can. */
const copyOne = async (from: string, to: string): Promise<void> => {
  await makeFolder(dirname(to));
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await syncPath(to);
};

/** Whether files beside each other can share blocks. */
const canShare = async (from: string, to: string): Promise<boolean> => {
  try {
    await makeFolder(dirname(to));
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE);
    return true;
  } catch {
    return false;
  }
};

const checkRoom = async (directory: string, paths: readonly string[], target: string): Promise<void> => {
  const [first] = paths;
  if (first === undefined || (await canShare(join(directory, first), join(target, first)))) return;
  let bytes = 0;
  for (const path of paths) bytes += (await lstat(join(directory, path))).size;
  const { bavail, bsize } = await statfs(target);
  if (bavail * bsize < bytes) throw new StoreFault('ENOSPC', `${dirname(directory)}: a copy needs ${bytes} bytes, ${bavail * bsize} are free`);
};

/** Fills a folder with files of a node. @returns what was left out */
export type FillCopy = (target: string) => Promise<SnapshotBody['excluded']>;

/** Copies what belongs into a snapshot of a stopped node's directory: no keys, nothing that the node makes anew. */
export function copyDirectory(dataDir: string, clientKind: string): FillCopy {
  return async (target) => {
    const { paths, excluded } = await walk(dataDir, clientKind);
    await checkRoom(dataDir, paths, target);
    for (const path of paths) await copyOne(join(dataDir, path), join(target, path));
    return excluded;
  };
}

/** Takes a copy beside a data directory; there whole or not at all, and only once. What other captures of the node left goes. @throws StoreFault */
export async function takeCopy(dataDir: string, about: Omit<DataCopy, 'excluded' | 'state'>, fill: FillCopy): Promise<void> {
  const path = pathOf(dataDir, about.operationId);
  await atPath(path, async () => {
    if ((await lstat(path).catch(() => null)) !== null) return;
    await dropCopies(dataDir, null);
    const beside = `${path}${PARTIAL}`;
    await makeFolder(join(beside, 'data'));
    try {
      const excluded = await fill(join(beside, 'data'));
      await writeWhole(join(beside, RECORD), JSON.stringify({ ...about, excluded, state: 'ready' } satisfies DataCopy));
      await rename(beside, path);
      await syncPath(dirname(path));
    } catch (error) {
      await rm(beside, { recursive: true, force: true });
      throw error;
    }
  });
}

/** The copies of a node's data, finished ones too; what cannot be read is none. */
export async function listCopies(dataDir: string): Promise<DataCopy[]> {
  const prefix = `${basename(dataDir)}${COPY}`;
  const names = await readdir(dirname(dataDir)).catch(() => []);
  const found = await Promise.all(
    names
      .filter((name) => name.startsWith(prefix) && !name.endsWith(PARTIAL))
      .map(async (name) => {
        try {
          return JSON.parse(await readFile(join(dirname(dataDir), name, RECORD), 'utf8')) as DataCopy;
        } catch {
          return null;
        }
      }),
  );
  return found.filter((copy): copy is DataCopy => copy !== null);
}

/** Notes how far a copy is; the data of one that is done goes, and its record stays until the next. */
export async function markCopy(dataDir: string, copy: DataCopy, state: CopyState): Promise<void> {
  const path = pathOf(dataDir, copy.operationId);
  await writeWhole(join(path, RECORD), JSON.stringify({ ...copy, state } satisfies DataCopy));
  if (state === 'done') await atPath(path, () => rm(join(path, 'data'), { recursive: true, force: true }));
}

/** Takes away all copies of a node's data, half taken ones too, but `keep`. */
export async function dropCopies(dataDir: string, keep: string | null): Promise<void> {
  const folder = dirname(dataDir);
  await atPath(folder, async () => {
    for (const name of await readdir(folder)) {
      if (name.startsWith(`${basename(dataDir)}${COPY}`) && name !== `${basename(dataDir)}${COPY}${keep}`) await rm(join(folder, name), { recursive: true, force: true });
    }
  });
}
