import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gearTable } from '../snapshot/chunker.ts';
import { fileKindOf } from '../snapshot/due.ts';
import type { Chunk, FileEntry } from '../snapshot/manifest.ts';
import { SCAN_BYTES, secretIn } from '../snapshot/secrets.ts';
import { atPath, StoreFault } from './fault.ts';
import { sha256Hex } from './hash.ts';
import { type ObjectFolder, objectName } from './objects.ts';
import { piecesOf } from './pieces.ts';

/** Chunks on their way to the disk at once: bounds memory at as many times 4 MiB, twice where they are packed. */
const MAX_WRITES = 4;
const MODE_BITS = 0o777;

/** What an intake did so far. */
export interface IntakeCounts {
  files: number;
  bytes: number;
  chunks: number;
  /** Chunks that were not in the store, and what they take there. */
  newChunks: number;
  newStoredBytes: number;
}

export interface IntakeOptions {
  readonly gzip: boolean;
  /** Read objects that are there already and mend those that are damaged. */
  readonly isDeep: boolean;
  readonly nowMs: () => number;
  readonly onProgress: (counts: Readonly<IntakeCounts>) => void;
  readonly signal?: AbortSignal;
}

/** Takes files into an object folder. */
export class Intake {
  readonly counts: IntakeCounts = { files: 0, bytes: 0, chunks: 0, newChunks: 0, newStoredBytes: 0 };
  readonly #objects: ObjectFolder;
  readonly #known: Map<string, Chunk>;
  readonly #options: IntakeOptions;
  readonly #gear = gearTable();

  /** @param known chunks of the parent: how they are stored is taken from it */
  constructor(objects: ObjectFolder, known: Iterable<Chunk>, options: IntakeOptions) {
    this.#objects = objects;
    this.#known = new Map([...known].map((chunk) => [chunk.id, chunk]));
    this.#options = options;
  }

  /**
   * Takes one file in.
   * @throws StoreFault naming the file when it holds a secret or changes while it is read
   */
  async file(directory: string, path: string, clientKind: string): Promise<FileEntry> {
    const full = join(directory, path);
    return atPath(full, async () => {
      const handle = await open(full, 'r');
      try {
        const before = await handle.stat();
        if (before.size <= SCAN_BYTES) await this.#scan(full, path);
        const kind = fileKindOf(clientKind, path);
        const chunks = await this.#chunks(piecesOf(handle, kind, this.#gear));
        const sizeBytes = chunks.reduce((sum, chunk) => sum + chunk.sizeBytes, 0);
        const after = await stat(full);
        if (sizeBytes !== before.size || after.mtimeMs !== before.mtimeMs || after.size !== before.size) throw new StoreFault('changed', `file ${path}: was changed while it was read; stop the node first`);
        this.counts.files++;
        this.#options.onProgress(this.counts);
        return { path, mode: before.mode & MODE_BITS, sizeBytes, kind, chunks };
      } finally {
        await handle.close();
      }
    });
  }

  async #scan(full: string, path: string): Promise<void> {
    const handle = await open(full, 'r');
    try {
      const secret = secretIn(path, (await handle.readFile()).toString('latin1'));
      if (secret !== null) throw new StoreFault('secret', `file ${path}: seems to hold ${secret}; nothing was captured`);
    } finally {
      await handle.close();
    }
  }

  async #chunks(pieces: AsyncIterable<Buffer>): Promise<Chunk[]> {
    const chunks: Promise<Chunk>[] = [];
    for await (const piece of pieces) {
      this.#options.signal?.throwIfAborted();
      if (chunks.length >= MAX_WRITES) await chunks[chunks.length - MAX_WRITES];
      const chunk = this.#chunk(piece);
      chunk.catch(() => {});
      chunks.push(chunk);
    }
    return Promise.all(chunks);
  }

  async #chunk(bytes: Buffer): Promise<Chunk> {
    const known = this.#known.get(sha256Hex(bytes));
    const isKept = known !== undefined && (await this.#isKept(known));
    const chunk = isKept ? known : await this.#objects.put(bytes, this.#options.gzip);
    const { counts } = this;
    counts.bytes += bytes.length;
    counts.chunks++;
    if (!isKept) {
      counts.newChunks++;
      counts.newStoredBytes += chunk.gzip?.sizeBytes ?? chunk.sizeBytes;
      this.#known.set(chunk.id, chunk);
    }
    this.#options.onProgress(counts);
    return chunk;
  }

  async #isKept(chunk: Chunk): Promise<boolean> {
    if (!(await this.#objects.has(chunk))) return false;
    if (this.#options.isDeep) {
      try {
        await this.#objects.read(chunk);
      } catch (error) {
        if (error instanceof StoreFault && error.code === 'damaged') return false;
        throw error;
      }
    }
    try {
      await this.#objects.touch(chunk, this.#options.nowMs());
      return true;
    } catch (error) {
      // a collection in another process has just moved it away: it is written anew
      if (error instanceof StoreFault && error.code === 'ENOENT') return false;
      throw error;
    }
  }
}

/** Names of the objects that files need. */
export function objectsOf(files: readonly FileEntry[]): string[] {
  return files.flatMap(({ chunks }) => chunks.map(objectName));
}
