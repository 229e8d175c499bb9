import { randomBytes } from 'node:crypto';
import { access, constants, link, mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { atPath, StoreFault } from './fault.ts';

/** Marks what is not whole yet; swept when it is old. */
export const PARTIAL = '.partial';

/** Waits until a folder's entries are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder with those above it; one that is there is left. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    // on a read-only file system Node says ENOENT: what the nearest folder that is there says is the cause
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    for (let at = dirname(path); ; at = dirname(at)) {
      const cause: unknown = await access(at, constants.W_OK).then(() => error, (why: unknown) => why);
      if ((cause as NodeJS.ErrnoException).code !== 'ENOENT' || at === dirname(at)) throw cause;
    }
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
    await syncFolder(dirname(path));
  });
}
