import { lstat, mkdir, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncPath, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { mountOverlay, unmount } from './mounting.ts';
import { mountAt } from './mountTable.ts';

/**
 * A data directory that is mounted: the read-only tree of a snapshot below, the node's own writes above. All of it but the
 * tree lies in the directory itself, which the mount then hides, so that it moves with one rename:
 * `.tidegate-bare.json` says what belongs on it and shows only while nothing is mounted, `.tidegate-upper` takes the writes.
 */
export interface Layer {
  /** The restore that made it. */
  readonly operation: string;
  readonly chain: string;
  readonly snapshotId: string;
  /** Tree of the snapshot, absolute. */
  readonly lower: string;
}

const BARE = '.tidegate-bare.json';
const UPPER = '.tidegate-upper';
const WORK = '.tidegate-work';
/** In the upper folder: seen through the mount, it tells which one it is. */
const SEEN = '.tidegate-layer.json';

const isLayer = (value: unknown): value is Layer => {
  const { operation, chain, snapshotId, lower } = (value ?? {}) as Partial<Layer>;
  return [operation, chain, snapshotId, lower].every((text) => typeof text === 'string');
};

const read = async (path: string): Promise<Layer | null> => {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  });
  if (text === null) return null;
  let value: unknown = null;
  try {
    value = JSON.parse(text);
  } catch {
    // refused below
  }
  if (isLayer(value)) return value;
  throw new StoreFault('malformed', `${path}: does not say what is mounted here`);
};

const sourceOf = ({ operation }: Layer): string => `tidegate-${operation}`;
const isSame = (a: Layer, b: Layer): boolean => a.operation === b.operation && a.snapshotId === b.snapshotId && a.lower === b.lower;

/** The folder that takes what is put into a data directory while it is not mounted. */
export async function writableOf(directory: string): Promise<string> {
  return (await bareLayer(directory)) === null ? directory : join(directory, UPPER);
}

/** The layer whose mount point lies bare at a path; null = it is no such mount point, or it is mounted. */
export function bareLayer(directory: string): Promise<Layer | null> {
  return read(join(directory, BARE));
}

/** Makes a directory ready to be mounted, on the disk. It must be there and empty. */
export async function makeLayer(directory: string, layer: Layer): Promise<void> {
  const text = JSON.stringify(layer);
  await mkdir(join(directory, UPPER));
  await writeWhole(join(directory, UPPER, SEEN), text);
  await writeWhole(join(directory, BARE), text);
  await syncPath(dirname(directory));
}

const mountBare = async (directory: string, layer: Layer): Promise<void> => {
  const facts = await lstat(layer.lower).catch(() => null);
  if (facts?.isDirectory() !== true) throw new StoreFault('missing', `${layer.lower}: the tree of snapshot ${layer.snapshotId.slice(0, 12)} is gone`);
  const kept = await read(join(directory, UPPER, SEEN));
  if (kept === null || !isSame(kept, layer)) throw new StoreFault('unfit', `${directory}: ${UPPER} is of another restore than the mount point`);
  const work = join(directory, WORK);
  // what a crash left in it belongs to a mount that is no more
  await rm(work, { recursive: true, force: true });
  await mkdir(work);
  await mountOverlay(directory, { source: sourceOf(layer), lower: layer.lower, upper: join(directory, UPPER), work });
};

/** Proves that what is mounted at a directory is the layer that it shows, over the tree that the layer names. */
const prove = async (directory: string): Promise<Layer | null> => {
  const mount = await mountAt(directory);
  const shown = await read(join(directory, SEEN));
  if (mount === null || shown === null) return null;
  const { type, source, options } = mount;
  const isRight = type === 'overlay' && source === sourceOf(shown) && options.get('lowerdir') === shown.lower && options.get('upperdir') === join(directory, UPPER);
  if (!isRight) throw new StoreFault('unfit', `${directory}: shows snapshot ${shown.snapshotId.slice(0, 12)}, but ${type} ${source} over ${options.get('lowerdir') ?? 'nothing'} is mounted there`);
  return shown;
};

/** The layer that is mounted at a data directory; null = a directory as any other. @throws StoreFault when it is not what it shows */
export async function mountedLayer(dataDir: string): Promise<Layer | null> {
  return atPath(dataDir, async () => {
    const directory = await realpath(dataDir).catch(() => null);
    return directory === null ? null : prove(directory);
  });
}

/** The layer of a data directory, mounted or bare; null = a directory as any other, or none. */
export async function layerOf(dataDir: string): Promise<Layer | null> {
  return (await bareLayer(dataDir)) ?? mountedLayer(dataDir);
}

/**
 * Mounts a data directory where it is a bare mount point, and proves what is mounted. Mounts vanish at a reboot: a node
 * that was started then would find an empty place.
 * @returns the layer that is mounted; null = a directory as any other
 * @throws StoreFault when it cannot be mounted, or is not what it should be
 */
export async function mountLayer(dataDir: string): Promise<Layer | null> {
  return atPath(dataDir, async () => {
    const directory = await realpath(dataDir);
    const bare = await bareLayer(directory);
    if (bare === null) return prove(directory);
    await mountBare(directory, bare);
    const proven = await prove(directory);
    if (proven !== null && isSame(proven, bare)) return proven;
    throw new StoreFault('unfit', `${dataDir}: the overlay was mounted, but does not show`);
  });
}

/** Takes the mount of a layer away, so that its directory can be moved; of any other directory nothing. @throws StoreFault naming who uses it */
export async function unmountLayer(dataDir: string): Promise<void> {
  await atPath(dataDir, async () => {
    if ((await mountedLayer(dataDir)) !== null) await unmount(await realpath(dataDir));
  });
}
