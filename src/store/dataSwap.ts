import { readdirSync } from 'node:fs';
import { copyFile, mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { clientLayout, leftOut } from '../snapshot/clients.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';
import { PARTIAL, syncFolder } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { materialize } from './materialize.ts';
import type { ObjectFolder } from './objects.ts';

const STAGED = '.tidegate-staged-';
const OLD = '.tidegate-old-';

/** What lies beside a data directory, by the operation that put it there. */
export interface DataState {
  /** Data that is ready to take its place. */
  readonly staged: string | null;
  /** The operation whose data is in place; what was there before it is kept. */
  readonly swapped: string | null;
}

const stagedPath = (dataDir: string, operation: string): string => `${dataDir}${STAGED}${operation}`;
const oldPath = (dataDir: string, operation: string): string => `${dataDir}${OLD}${operation}`;

const isThere = async (path: string): Promise<boolean> => {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
};

/** Ids of operations end with the time they began. */
const began = (operation: string): number => Number(/\d+$/.exec(operation)?.[0] ?? 0);

const newest = (names: readonly string[], prefix: string): string | null => {
  const operations = names.filter((name) => name.startsWith(prefix) && !name.endsWith(PARTIAL)).map((name) => name.slice(prefix.length));
  return operations.sort((a, b) => began(b) - began(a))[0] ?? null;
};

/** Looks at what is beside a data directory; nothing when it cannot be looked at. */
export function dataState(dataDir: string): DataState {
  let names: string[];
  try {
    names = readdirSync(dirname(dataDir));
  } catch {
    return { staged: null, swapped: null };
  }
  const name = basename(dataDir);
  const staged = newest(names, `${name}${STAGED}`);
  const kept = newest(names, `${name}${OLD}`);
  return { staged, swapped: kept !== null && kept !== staged && names.includes(name) ? kept : null };
}

/** Writes a snapshot beside a data directory, every chunk hashed; what an operation that was given up left is taken away. */
export async function stageData(objects: ObjectFolder, snapshot: SnapshotBody, dataDir: string, operation: string): Promise<void> {
  const target = stagedPath(dataDir, operation);
  await atPath(target, async () => {
    if (await isThere(target)) return;
    await mkdir(dirname(dataDir), { recursive: true });
    for (const name of await readdir(dirname(dataDir))) {
      if (name.startsWith(`${basename(dataDir)}${STAGED}`)) await rm(join(dirname(dataDir), name), { recursive: true, force: true });
    }
    await materialize(objects, snapshot, target, { isReadOnly: false, onProgress: () => undefined });
  });
}

/** Keys and identity are in no snapshot: the node keeps its own. */
const carryOver = async (from: string, to: string, clientKind: string): Promise<void> => {
  const layout = clientLayout(clientKind);
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name).slice(join(from, '/').length);
    if (leftOut(layout, path) !== 'secret') continue;
    await mkdir(dirname(join(to, path)), { recursive: true });
    await copyFile(join(from, path), join(to, path));
    await syncFolder(dirname(join(to, path)));
  }
};

/** What takes the place of the data. */
export interface SwapTo {
  readonly operation: string;
  readonly from: 'snapshot' | 'empty';
  readonly clientKind: string;
}

/**
 * Puts staged or no data in the place of a node's, which does not run; what was there is kept beside it. Done twice, or after
 * a crash between any two steps, it ends the same: at each moment the directory is the whole old data, absent, or the whole new.
 * @throws StoreFault when there is nothing staged
 */
export async function swapData(dataDir: string, { operation, from, clientKind }: SwapTo): Promise<void> {
  const [staged, old] = [stagedPath(dataDir, operation), oldPath(dataDir, operation)];
  await atPath(dataDir, async () => {
    const isKept = await isThere(old);
    const isStaged = await isThere(staged);
    if (isKept && !isStaged && (await isThere(dataDir))) return;
    if (from === 'empty' && !isStaged) await mkdir(staged, { recursive: true });
    else if (!isStaged) throw new StoreFault('missing', `${dataDir}: nothing is staged for ${operation}`);
    if (!isKept) {
      if (await isThere(dataDir)) {
        await carryOver(dataDir, staged, clientKind);
        await rename(dataDir, old);
      } else await mkdir(old);
      await syncFolder(dirname(dataDir));
    }
    await rename(staged, dataDir);
    await syncFolder(dirname(dataDir));
  });
}

/** Takes away what was kept and staged beside a data directory. */
export async function discardData(dataDir: string): Promise<void> {
  const folder = dirname(dataDir);
  const name = basename(dataDir);
  await atPath(folder, async () => {
    for (const entry of await readdir(folder)) {
      if (entry.startsWith(`${name}${STAGED}`) || entry.startsWith(`${name}${OLD}`)) await rm(join(folder, entry), { recursive: true, force: true });
    }
  });
}
