import { type Dirent, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clientLayout } from '../snapshot/clients.ts';
import { dataState } from '../store/dataNames.ts';
import { writeWhole } from '../store/atomic.ts';
import { mountOver } from '../store/mountTable.ts';

/** What a look needs of a node's data. */
interface Watched {
  readonly name: string;
  readonly dataDir: string;
  /** Kind of client as snapshots name it. */
  readonly clientKind: string;
}

const ANY = [{ path: /./, what: 'all of its data' }];

/** Parts of a client's data that are not below a folder: none once all were seen. Folders with a dot are caches of the client. */
const lacking = async (folder: string, clientKind: string): Promise<readonly string[]> => {
  const { needed } = clientLayout(clientKind);
  const left = new Set(needed.length === 0 ? ANY : needed);
  const seek = async (below: string): Promise<void> => {
    const entries = await readdir(join(folder, below), { withFileTypes: true }).catch((): Dirent[] => []);
    for (const entry of entries) {
      if (left.size === 0) return;
      const path = below === '' ? entry.name : `${below}/${entry.name}`;
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await seek(path);
      else for (const part of left) if (part.path.test(path)) left.delete(part);
    }
  };
  await seek('');
  return [...left].map(({ what }) => what);
};

/** What was seen of a node with whole data. */
interface Had {
  readonly name: string;
  /** Where the file system is mounted that its data lies on; null = it could not be told. */
  readonly mountPoint: string | null;
}

/**
 * Tells a node whose data is gone from one that never had any: which nodes were seen with whole data, and on which file system, is on
 * disk. A client that finds no data mostly starts anew without a word.
 */
export class DataWatch {
  readonly #path: string;
  readonly #had: Map<string, Had>;

  constructor(path: string) {
    this.#path = path;
    this.#had = new Map(read(path).map((had) => [had.name, had]));
  }

  /** Takes down whether a node has data now. */
  async note({ name, dataDir, clientKind }: Watched): Promise<void> {
    const mountPoint = await mountOver(dataDir);
    const had = this.#had.get(name);
    if ((had !== undefined && had.mountPoint === mountPoint) || (await lacking(dataDir, clientKind)).length > 0) return;
    this.#had.set(name, { name, mountPoint });
    await this.#write();
  }

  /** From now on it need not have any. */
  async forget(name: string): Promise<void> {
    if (this.#had.delete(name)) await this.#write();
  }

  /** What a node that had data lacks now; null = nothing, or what it had is kept beside it. */
  async lost({ name, dataDir, clientKind }: Watched): Promise<string | null> {
    if (!this.#had.has(name)) return null;
    const missing = await lacking(dataDir, clientKind);
    const { kept } = dataState(dataDir);
    if (missing.length === 0 || kept !== null) return null;
    return (await this.unmounted({ name, dataDir, clientKind })) ?? `${missing.join(' and ')} is gone from its data directory`;
  }

  /** Says so where a node's data is away because the file system that it lies on is: what is put there now, the mount would hide later. */
  async unmounted({ name, dataDir, clientKind }: Watched): Promise<string | null> {
    const mountPoint = this.#had.get(name)?.mountPoint ?? null;
    if (mountPoint === null || (await mountOver(dataDir)) === mountPoint || (await lacking(dataDir, clientKind)).length === 0) return null;
    return `the file system of its data is not mounted at ${mountPoint}`;
  }

  #write(): Promise<void> {
    return writeWhole(this.#path, JSON.stringify([...this.#had.values()]));
  }
}

const hadOf = (one: unknown): Had[] => {
  // older versions wrote names only
  if (typeof one === 'string') return [{ name: one, mountPoint: null }];
  const { name, mountPoint = null } = (one ?? {}) as Partial<Had>;
  return typeof name === 'string' && (mountPoint === null || typeof mountPoint === 'string') ? [{ name, mountPoint }] : [];
};

/** What cannot be read is as if nothing was seen yet: then a start is only a start. */
function read(path: string): Had[] {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(value) ? value.flatMap(hadOf) : [];
  } catch {
    return [];
  }
}
