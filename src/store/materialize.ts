import { chmod, lstat, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { FileEntry, SnapshotBody } from '../snapshot/manifest.ts';
import { PARTIAL, makeFolder, syncPath } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import type { ObjectFolder } from './objects.ts';

export interface MaterializeOptions {
  /** Takes the rights to write from the files: the tree is for mounting. Folders keep theirs, since an overlay takes them over. */
  readonly isReadOnly: boolean;
  /** Called with the bytes written so far. */
  readonly onProgress: (bytes: number) => void;
  /** Called with what is whole, before it appears in its place. */
  readonly finish?: (beside: string) => Promise<void>;
}

const WRITE_BITS = 0o222;

const foldersOf = (files: readonly FileEntry[]): string[] => {
  const folders = new Set<string>(['']);
  for (const { path } of files) for (let at = dirname(path); at !== '.'; at = dirname(at)) folders.add(at);
  return [...folders].sort().reverse();
};

const checkRoom = async (directory: string, needed: number): Promise<void> => {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize < needed) throw new StoreFault('ENOSPC', `${directory}: ${needed} bytes are needed, ${bavail * bsize} are free`);
};

const writeFile = async (objects: ObjectFolder, file: FileEntry, full: string, onBytes: (bytes: number) => void): Promise<void> => {
  const handle = await open(full, 'wx', 0o600);
  try {
    for (const chunk of file.chunks) {
      const bytes = await objects.read(chunk);
      await handle.writeFile(bytes);
      onBytes(bytes.length);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** How the files of a snapshot come into a directory. */
export interface Placing {
  readonly isReadOnly: boolean;
  /** Bytes of room that it takes. */
  readonly neededBytes: number;
  /** Makes one file, synced to the disk; its folder is there. */
  readonly put: (file: FileEntry, full: string) => Promise<void>;
  /** Adds what is of no file, synced to the disk. */
  readonly finish?: (beside: string) => Promise<void>;
}

/**
 * Makes a directory of the files of a snapshot. It appears whole, on the disk, or not at all.
 * @param directory must not be there yet
 * @throws StoreFault naming the directory when it is there already, or has no room
 */
export async function placeFiles(files: readonly FileEntry[], directory: string, { isReadOnly, neededBytes, put, finish }: Placing): Promise<void> {
  const beside = `${directory}${PARTIAL}`;
  await atPath(directory, async () => {
    if ((await lstat(directory).catch(() => null)) !== null) throw new StoreFault('EEXIST', `${directory}: is there already`);
    await rm(beside, { recursive: true, force: true });
    await makeFolder(beside);
    await checkRoom(beside, neededBytes);
    for (const file of files) {
      const full = join(beside, file.path);
      await makeFolder(dirname(full));
      await put(file, full);
      await chmod(full, isReadOnly ? file.mode & ~WRITE_BITS : file.mode);
    }
    for (const folder of foldersOf(files)) await syncPath(join(beside, folder));
    await finish?.(beside);
    await rename(beside, directory);
    await syncPath(dirname(directory));
  });
}

/**
 * Writes the data of a snapshot as a directory; every chunk is hashed on its way. It appears whole, on the disk, or not at all.
 * @param directory must not be there yet
 * @throws StoreFault naming the object or file, or the directory when it is there already
 */
export async function materialize(objects: ObjectFolder, { files }: Pick<SnapshotBody, 'files'>, directory: string, { onProgress, ...how }: MaterializeOptions): Promise<void> {
  let bytes = 0;
  const onBytes = (more: number): void => {
    bytes += more;
    onProgress(bytes);
  };
  const neededBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  await placeFiles(files, directory, { ...how, neededBytes, put: (file, full) => writeFile(objects, file, full, onBytes) });
}
