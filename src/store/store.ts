import { link, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import type { Chunk, SnapshotBody } from '../snapshot/manifest.ts';
import type { TrustedKey } from '../snapshot/sign.ts';
import { makeFolder, PARTIAL } from './atomic.ts';
import { atPath } from './fault.ts';
import { lockHolder, type StoreLock, takeLock } from './lock.ts';
import { type Listed, ManifestFolder } from './manifests.ts';
import { ObjectFolder, objectName } from './objects.ts';
import { PinFolder } from './pins.ts';
import { TreeFolder } from './tree.ts';

/** What a store stands on. */
export interface StoreOptions {
  readonly root: string;
  /** Keys whose manifests count. */
  readonly keys: () => readonly TrustedKey[];
  readonly nowMs: () => number;
}

/** All chunks of a snapshot, data and proof. */
export function chunksOf({ files, proof }: Pick<SnapshotBody, 'files' | 'proof'>): Chunk[] {
  return [...files, ...proof].flatMap(({ chunks }) => chunks);
}

const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Snapshots in a directory: `objects`, `manifests`, `pins`, `trees`, `captures` under way, and the `trash` of collections. */
export class SnapshotStore {
  readonly root: string;
  readonly objects: ObjectFolder;
  readonly manifests: ManifestFolder;
  readonly pins: PinFolder;
  readonly trees: TreeFolder;
  readonly nowMs: () => number;

  constructor({ root, keys, nowMs }: StoreOptions) {
    this.root = root;
    this.objects = new ObjectFolder(join(root, 'objects'));
    this.manifests = new ManifestFolder(join(root, 'manifests'), keys);
    this.pins = new PinFolder(join(root, 'pins'));
    this.nowMs = nowMs;
    this.trees = new TreeFolder(this);
  }

  /** Snapshots of one chain whose manifests are trusted, oldest first. */
  async trusted(chain: string): Promise<Candidate[]> {
    const all = await this.manifests.list();
    return all.flatMap((one: Listed) => (one.problem === null && one.candidate !== null && one.chain === chain ? [one.candidate] : []));
  }

  /** Lets one capture of a chain through at a time; collections leave alone what it uses. */
  lockCapture(chain: string): Promise<StoreLock> {
    return takeLock(join(this.root, 'captures', chain), `a capture of ${chain}`, this.nowMs());
  }

  lockCollection(): Promise<StoreLock> {
    return takeLock(join(this.root, 'collection.lock'), 'a collection', this.nowMs());
  }

  /** When the oldest capture under way began; null when there is none. */
  async captureSinceMs(): Promise<number | null> {
    const folder = join(this.root, 'captures');
    const holders = await Promise.all((await namesIn(folder)).filter((name) => !name.endsWith(PARTIAL)).map((name) => lockHolder(join(folder, name))));
    const since = holders.flatMap((holder) => (holder === null ? [] : [holder.sinceMs]));
    return since.length === 0 ? null : Math.min(...since);
  }

  /** Moves an object out of the way; the time of it stays with it. */
  async trash(name: string): Promise<void> {
    const [from, to] = [this.objects.pathOf(name), this.trashPath(name)];
    await atPath(from, async () => {
      await makeFolder(dirname(to));
      await rename(from, to);
      await utimes(to, this.nowMs() / 1000, this.nowMs() / 1000).catch((error: unknown) => {
        // a capture in another process has taken it back at once
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      });
    });
  }

  /** Takes an object back from the trash, unless it was written again since. @returns whether it is there now */
  async recover(name: string): Promise<boolean> {
    const to = this.objects.pathOf(name);
    try {
      await makeFolder(dirname(to));
      await link(this.trashPath(name), to);
      await utimes(to, this.nowMs() / 1000, this.nowMs() / 1000);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EEXIST';
    }
    await this.removeTrashed(name);
    return true;
  }

  async trashed(): Promise<{ readonly name: string; readonly trashedAtMs: number }[]> {
    const names = await namesIn(join(this.root, 'trash'));
    // a capture in another process may take one back meanwhile
    const found = await Promise.all(names.map(async (name) => ({ name, trashedAtMs: (await stat(this.trashPath(name)).catch(() => null))?.mtimeMs ?? null })));
    return found.flatMap(({ name, trashedAtMs }) => (trashedAtMs === null ? [] : [{ name, trashedAtMs }]));
  }

  async removeTrashed(name: string): Promise<void> {
    await rm(this.trashPath(name), { force: true });
  }

  trashPath(name: string): string {
    return join(this.root, 'trash', name);
  }

  /** Objects of these chunks that are not there even after looking in the trash. */
  async missing(chunks: readonly Chunk[]): Promise<string[]> {
    const lost: string[] = [];
    for (const chunk of chunks) {
      const name = objectName(chunk);
      if (!(await this.objects.has(chunk)) && !(await this.recover(name))) lost.push(name);
    }
    return lost;
  }
}
