import { copyFile, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { clientLayout, leftOut } from '../snapshot/clients.ts';
import { makeFolder, syncPath } from './atomic.ts';
import { dataState, FAILED, failedPath, isThere, OLD, oldPath, STAGED, stagedPath } from './dataNames.ts';
import { atPath, StoreFault } from './fault.ts';
import { type Layer, mountLayer, unmountLayer, writableOf } from './layer.ts';

/** Keys and identity are in no snapshot: the node keeps its own. */
const carryOver = async (from: string, to: string, clientKind: string): Promise<void> => {
  const layout = clientLayout(clientKind);
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name).slice(join(from, '/').length);
    if (leftOut(layout, path) !== 'secret') continue;
    await makeFolder(dirname(join(to, path)));
    await copyFile(join(from, path), join(to, path));
    for (const written of [join(to, path), dirname(join(to, path))]) await syncPath(written);
  }
};

/** What takes the place of the data. */
export interface SwapTo {
  readonly operation: string;
  readonly from: 'snapshot' | 'empty';
  readonly clientKind: string;
}

const move = async (from: string, to: string): Promise<void> => {
  await rename(from, to);
  await syncPath(dirname(to));
};

/**
 * Puts staged or no data in the place of a node's, which does not run; what was there is kept beside it. Done twice, or after
 * a crash between any two steps, it ends the same: at each moment the directory is the whole old data, absent, or the whole new.
 * Data that is mounted is moved unmounted; `readyData` mounts it.
 * @throws StoreFault when there is nothing staged, or a process still uses the old data
 */
export async function swapData(dataDir: string, { operation, from, clientKind }: SwapTo): Promise<void> {
  const [staged, old] = [stagedPath(dataDir, operation), oldPath(dataDir, operation)];
  await atPath(dataDir, async () => {
    const isKept = await isThere(old);
    const isStaged = await isThere(staged);
    if (isKept && !isStaged && (await isThere(dataDir))) return;
    if (from === 'empty' && !isStaged) await makeFolder(staged);
    else if (!isStaged) throw new StoreFault('missing', `${dataDir}: nothing is staged for ${operation}`);
    if (!isKept) {
      if (await isThere(dataDir)) {
        await carryOver(await writableOf(dataDir), await writableOf(staged), clientKind);
        await unmountLayer(dataDir);
        await move(dataDir, old);
      } else await mkdir(old);
    } else if (isStaged) {
      // staged anew since what was there before was set aside
      await carryOver(await writableOf(old), await writableOf(staged), clientKind);
    }
    await move(staged, dataDir);
  });
}

/**
 * Puts what `swapData` kept back in its place and takes the new data away. The node does not run. Done again, or after a crash
 * between any two steps, it ends the same; where nothing is kept for the operation, nothing is moved.
 */
export async function swapBack(dataDir: string, operation: string): Promise<void> {
  const [old, failed] = [oldPath(dataDir, operation), failedPath(dataDir, operation)];
  await atPath(dataDir, async () => {
    if (await isThere(old)) {
      if (!(await isThere(failed)) && (await isThere(dataDir))) {
        await unmountLayer(dataDir);
        await move(dataDir, failed);
      }
      await move(old, dataDir);
    }
    for (const path of [failed, stagedPath(dataDir, operation)]) await rm(path, { recursive: true, force: true });
  });
}

/**
 * Makes the data of a node fit for a start: where a swap was left half done the old data is back, and what is to be mounted
 * is mounted and proven to be the right one.
 * @returns the layer that is mounted; null = none belongs there
 * @throws StoreFault when that cannot be done: the node must not be started then
 */
export async function readyData(dataDir: string): Promise<Layer | null> {
  return atPath(dataDir, async () => {
    const { kept } = dataState(dataDir);
    const isLive = await isThere(dataDir);
    if (!isLive && kept !== null) await move(oldPath(dataDir, kept), dataDir);
    return isLive || kept !== null ? mountLayer(dataDir) : null;
  });
}

/** Takes away what was kept and staged beside a data directory. */
export async function discardData(dataDir: string): Promise<void> {
  const folder = dirname(dataDir);
  const name = basename(dataDir);
  await atPath(folder, async () => {
    for (const entry of await readdir(folder)) {
      if (![STAGED, OLD, FAILED].some((mark) => entry.startsWith(`${name}${mark}`))) continue;
      await unmountLayer(join(folder, entry));
      await rm(join(folder, entry), { recursive: true, force: true });
    }
  });
}

/** Takes away a data directory with all that lies beside it; the snapshot that it is mounted over stays. */
export async function removeData(dataDir: string): Promise<void> {
  await discardData(dataDir);
  await unmountLayer(dataDir);
  await rm(dataDir, { recursive: true, force: true });
}
