import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { link, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { atPath, StoreFault } from './fault.ts';

/** Marks what is not whole yet; swept when it is old. */
export const PARTIAL = '.partial';

/** Waits until a file's bytes, or a folder's entries, are on the disk. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

const factsOf = (path: string): Promise<Stats | null> =>
  stat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  });

/**
 * Makes a folder with those above it, one after the other; one that is there is left. `recursive` of Node's own never returns where
 * a file system says of each new name that it is not there, as /proc does, and says ENOENT of one that is read-only.
 */
export async function makeFolder(path: string): Promise<void> {
  const missing: string[] = [];
  let at = resolve(path);
  let facts = await factsOf(at);
  while (facts === null && dirname(at) !== at) {
    missing.push(at);
    at = dirname(at);
    facts = await factsOf(at);
  }
  if (missing.length === 0 && facts?.isDirectory() !== true) throw new StoreFault('ENOTDIR', `${path}: is not a directory`);
  for (const folder of missing.reverse()) {
    await mkdir(folder).catch((error: unknown) => {
      // another process may have made it just now
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

/** How a file is put in place. */
export interface WriteOptions {
  readonly mode?: number;
  /** Fails when the file is there already, instead of taking its place. */
  readonly isExclusive?: boolean;
}

/**
 * Writes a file so that after a crash it is there whole or not at all: beside its place, to the disk, then moved.
 * @throws StoreFault naming the file
 */
export async function writeWhole(path: string, bytes: Uint8Array | string, { mode = 0o644, isExclusive = false }: WriteOptions = {}): Promise<void> {
  const beside = `${path}.${randomBytes(6).toString('hex')}${PARTIAL}`;
  await atPath(path, async () => {
    await makeFolder(dirname(path));
    try {
      const handle = await open(beside, 'wx', mode);
      try {
        await handle.writeFile(bytes);
        await handle.sync();
      } finally {
        await handle.close();
      }
      if (isExclusive) await link(beside, path);
      else await rename(beside, path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new StoreFault('EEXIST', `${path}: is there already`);
      throw error;
    } finally {
      await rm(beside, { force: true });
    }
    await syncPath(dirname(path));
  });
}
