import { lstat, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import type { FileEntry } from '../snapshot/manifest.ts';
import { PARTIAL, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { materialize } from './materialize.ts';
import type { ObjectFolder } from './objects.ts';
import type { Pin, PinFolder } from './pins.ts';

/** What is known of a tree. */
export interface TreeRecord {
  readonly builtAtMs: number;
  /** When every byte of it was last hashed. */
  readonly checkedAtMs: number;
  /** What was found then; null = it is what the manifest says. A tree with a problem is not mounted. */
  readonly problem: string | null;
}

/** A tree that is there. */
export interface Tree extends TreeRecord {
  readonly id: string;
  readonly chain: string;
  /** Absolute. */
  readonly path: string;
}

/** What trees stand on. */
export interface TreeParts {
  readonly root: string;
  readonly objects: ObjectFolder;
  readonly pins: PinFolder;
  readonly nowMs: () => number;
}

const ID = /^[0-9a-f]{64}$/;
const MOUNT = 'mount-';

const isRecord = (value: unknown): value is TreeRecord => {
  const { builtAtMs, checkedAtMs, problem } = (value ?? {}) as Partial<TreeRecord>;
  return Number.isSafeInteger(builtAtMs) && Number.isSafeInteger(checkedAtMs) && (problem === null || typeof problem === 'string');
};

const namesIn = (folder: string): Promise<string[]> =>
  readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  });

/** How a tree differs from its manifest in names and sizes; what its bytes are only hashing tells. */
export async function treeProblem(directory: string, files: readonly FileEntry[]): Promise<string | null> {
  const entries = await atPath(directory, () => readdir(directory, { recursive: true, withFileTypes: true }));
  const left = new Map(files.map(({ path, sizeBytes }) => [path, sizeBytes]));
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name).slice(join(directory, '/').length);
    const sizeBytes = left.get(path);
    if (sizeBytes === undefined) return `file ${path}: is not in the manifest`;
    const facts = await lstat(join(directory, path));
    if (!facts.isFile() || facts.size !== sizeBytes) return `file ${path}: has ${facts.size} bytes, the manifest says ${sizeBytes}`;
    left.delete(path);
  }
  const [lost] = left.keys();
  return lost === undefined ? null : `file ${lost}: is missing`;
}

/**
 * Read-only file trees of snapshots, for mounting: `trees/CHAIN/ID` below the store, with what is known of each in `ID.json`
 * beside it. A tree that is mounted is pinned, and with it its snapshot: neither goes away.
 */
export class TreeFolder {
  readonly #root: string;
  readonly #parts: TreeParts;

  constructor(parts: TreeParts) {
    this.#root = resolve(parts.root, 'trees');
    this.#parts = parts;
  }

  /** Where the tree of a snapshot lies, or would. Absolute. */
  pathOf(chain: string, id: string): string {
    return join(this.#root, chain, id);
  }

  /** The tree of a snapshot; null when there is none that is whole. Whether it may be mounted its `problem` says. */
  async find(chain: string, id: string): Promise<Tree | null> {
    const path = this.pathOf(chain, id);
    const [facts, text] = await Promise.all([lstat(path).catch(() => null), readFile(`${path}.json`, 'utf8').catch(() => '')]);
    if (facts?.isDirectory() !== true) return null;
    try {
      const record: unknown = JSON.parse(text);
      return isRecord(record) ? { id, chain, path, ...record } : null;
    } catch {
      return null;
    }
  }

  /** Trees of a chain. */
  async list(chain: string): Promise<Tree[]> {
    const names = (await namesIn(join(this.#root, chain))).filter((name) => ID.test(name));
    const found = await Promise.all(names.map((id) => this.find(chain, id)));
    return found.filter((tree): tree is Tree => tree !== null);
  }

  /**
   * Builds the tree of a snapshot from its chunks, each hashed on its way, without rights to write its files. It appears whole, on
   * the disk, or not at all; one that is there and sound stays as it is, a damaged one is built anew unless it is mounted.
   * @throws StoreFault naming the object or file, or who has the damaged one mounted
   */
  async build({ id, manifest: { snapshot } }: Candidate, onProgress: (bytes: number) => void): Promise<Tree> {
    const { chain, files } = snapshot;
    const there = await this.find(chain.name, id);
    if (there !== null && there.problem === null) return there;
    await this.drop(chain.name, id);
    const path = this.pathOf(chain.name, id);
    await materialize(this.#parts.objects, { files }, path, { isReadOnly: true, onProgress });
    const nowMs = this.#parts.nowMs();
    return this.note({ id, chain: chain.name, path, builtAtMs: nowMs, checkedAtMs: nowMs, problem: null });
  }

  /** Writes down what is known of a tree now, such as what hashing it anew came to. */
  async note(tree: Tree): Promise<Tree> {
    const { builtAtMs, checkedAtMs, problem } = tree;
    await writeWhole(`${tree.path}.json`, JSON.stringify({ builtAtMs, checkedAtMs, problem } satisfies TreeRecord));
    return tree;
  }

  /**
   * Takes a tree away, with what is left of one that was half built or half taken away.
   * @throws StoreFault naming who has it mounted
   */
  async drop(chain: string, id: string): Promise<void> {
    const [mount] = await this.mountsOf(id);
    if (mount !== undefined) throw new StoreFault('pinned', `snapshot ${id.slice(0, 12)}: its tree is in use (${mount.reason})`);
    const path = this.pathOf(chain, id);
    await atPath(path, async () => {
      await rm(`${path}${PARTIAL}`, { recursive: true, force: true });
      if ((await lstat(path).catch(() => null)) !== null) await rename(path, `${path}${PARTIAL}`);
      // one that was pinned meanwhile comes back
      const [late] = await this.mountsOf(id);
      if (late !== undefined) {
        await rename(`${path}${PARTIAL}`, path).catch(() => undefined);
        throw new StoreFault('pinned', `snapshot ${id.slice(0, 12)}: its tree is in use (${late.reason})`);
      }
      await rm(`${path}.json`, { force: true });
      await rm(`${path}${PARTIAL}`, { recursive: true, force: true });
    });
  }

  /** Takes away the trees of a chain but those in `keep` and those that are mounted. @returns ids of those that went */
  async dropOthers(chain: string, keep: ReadonlySet<string>): Promise<string[]> {
    const ids = new Set((await namesIn(join(this.#root, chain))).map((name) => name.slice(0, 64)).filter((id) => ID.test(id)));
    const gone: string[] = [];
    for (const id of ids) {
      if (keep.has(id) || (await this.mountsOf(id)).length > 0) continue;
      await this.drop(chain, id);
      gone.push(id);
    }
    return gone;
  }

  /** Holds tree and snapshot of `id` for a node that mounts it: first pin, then `find`, then mount. @param node its name */
  async pin(id: string, node: string): Promise<void> {
    await this.#parts.pins.pin(id, `${MOUNT}${node}`, `mounted by node ${node}`);
  }

  /** Lets go of it again; done after the mount is gone. */
  async unpin(id: string, node: string): Promise<void> {
    await this.#parts.pins.unpin(id, `${MOUNT}${node}`);
  }

  /** Who has it mounted. */
  async mountsOf(id: string): Promise<Pin[]> {
    return (await this.#parts.pins.list()).filter((pin) => pin.id === id && pin.name.startsWith(MOUNT));
  }
}
