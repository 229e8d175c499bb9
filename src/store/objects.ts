import { readdir, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { MAX_CHUNK_BYTES } from '../snapshot/chunker.ts';
import type { Chunk } from '../snapshot/manifest.ts';
import { PARTIAL, writeWhole } from './atomic.ts';
import { StoreFault, systemFault } from './fault.ts';
import { sha256Hex } from './hash.ts';
import { readRegular } from './regular.ts';

const pack = promisify(gzip);
const unpack = promisify(gunzip);

/** Share of the plain size below which gzip is worth its time at reading. */
const WORTH = 0.9;
const GZIP_LEVEL = 1;
const MAX_PACKED_BYTES = 2 * MAX_CHUNK_BYTES;

/** Where an object lies, relative to the store. */
export interface Located {
  readonly path: string;
  readonly storedBytes: number;
}

/** Name of the object that holds a chunk: its id and how it is stored. */
export function objectName({ id, gzip: packed }: Pick<Chunk, 'id' | 'gzip'>): string {
  return `${id}.${packed === null ? 'raw' : 'gz'}`;
}

const missing = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === 'ENOENT';

/** Chunks by content in a folder. Nothing is ever changed in place. */
export class ObjectFolder {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** Place of an object by its name. */
  pathOf(name: string): string {
    return join(this.#root, name.slice(0, 2), name);
  }

  /** Place of a chunk, and how many bytes lie there. */
  locate(chunk: Chunk): Located {
    return { path: this.pathOf(objectName(chunk)), storedBytes: chunk.gzip?.sizeBytes ?? chunk.sizeBytes };
  }

  /** Whether a chunk is there with the right length. */
  async has(chunk: Chunk): Promise<boolean> {
    const { path, storedBytes } = this.locate(chunk);
    try {
      return (await stat(path)).size === storedBytes;
    } catch (error) {
      if (missing(error)) return false;
      throw systemFault(error, path);
    }
  }

  /** Marks a chunk as used now, so that a collection under way leaves it. */
  async touch(chunk: Chunk, nowMs: number): Promise<void> {
    const { path } = this.locate(chunk);
    await utimes(path, nowMs / 1000, nowMs / 1000).catch((error: unknown) => {
      throw systemFault(error, path);
    });
  }

  /**
   * How a chunk lies here as gzip; null when it does not, or is damaged. Another version of zlib packs the same bytes otherwise, and
   * manifests name the packed bytes too.
   */
  async packed(id: string, sizeBytes: number): Promise<Chunk | null> {
    const path = this.pathOf(`${id}.gz`);
    const stored = await readRegular(path, MAX_PACKED_BYTES).catch(() => null);
    const plain = stored === null ? null : await unpack(stored, { maxOutputLength: Math.max(1, sizeBytes) }).catch(() => null);
    if (stored === null || plain === null || plain.length !== sizeBytes || sha256Hex(plain) !== id) return null;
    return { id, sizeBytes, gzip: { sha256: sha256Hex(stored), sizeBytes: stored.length } };
  }

  /** Stores bytes and says how. Not fast for bytes that are there already: ask `has` first. */
  async put(bytes: Uint8Array, mayPack: boolean): Promise<Chunk> {
    const id = sha256Hex(bytes);
    const there = mayPack ? await this.packed(id, bytes.length) : null;
    if (there !== null) {
      await this.touch(there, Date.now());
      return there;
    }
    const packed = mayPack ? await pack(bytes, { level: GZIP_LEVEL }) : null;
    const isWorth = packed !== null && packed.length < bytes.length * WORTH;
    const chunk: Chunk = { id, sizeBytes: bytes.length, gzip: isWorth ? { sha256: sha256Hex(packed), sizeBytes: packed.length } : null };
    await writeWhole(this.pathOf(objectName(chunk)), isWorth ? packed : bytes, { mode: 0o444 });
    return chunk;
  }

  /** Stored bytes of a chunk. @throws StoreFault naming the object when they are not those the manifest names */
  async readStored(chunk: Chunk): Promise<Buffer> {
    const { path, storedBytes } = this.locate(chunk);
    const stored = await readRegular(path, storedBytes).catch((error: unknown) => {
      if (error instanceof StoreFault) throw new StoreFault('damaged', `object ${objectName(chunk)}: ${error.message}`);
      throw missing(error) ? new StoreFault('missing', `object ${objectName(chunk)}: is missing`) : systemFault(error, path);
    });
    if (sha256Hex(stored) !== (chunk.gzip?.sha256 ?? chunk.id)) throw new StoreFault('damaged', `object ${objectName(chunk)}: its stored bytes are not those of the manifest`);
    return stored;
  }

  /** Plain bytes of a chunk. @throws StoreFault naming the object when they are not what its id says */
  async read(chunk: Chunk): Promise<Buffer> {
    const stored = await this.readStored(chunk);
    if (chunk.gzip === null) return stored;
    const plain = await unpack(stored, { maxOutputLength: chunk.sizeBytes }).catch(() => null);
    if (plain === null || plain.length !== chunk.sizeBytes || sha256Hex(plain) !== chunk.id) throw new StoreFault('damaged', `object ${objectName(chunk)}: does not unpack to what its id says`);
    return plain;
  }

  /** Every object, and what was left half written, with the time of its last use. */
  async list(): Promise<{ readonly objects: { name: string; touchedAtMs: number; sizeBytes: number }[]; readonly partial: string[] }> {
    const objects: { name: string; touchedAtMs: number; sizeBytes: number }[] = [];
    const partial: string[] = [];
    for (const folder of await this.#names(this.#root)) {
      for (const name of await this.#names(join(this.#root, folder))) {
        const path = join(this.#root, folder, name);
        if (name.endsWith(PARTIAL)) partial.push(path);
        else {
          const facts = await stat(path).catch(() => null);
          if (facts !== null) objects.push({ name, touchedAtMs: facts.mtimeMs, sizeBytes: facts.size });
        }
      }
    }
    return { objects, partial };
  }

  async #names(folder: string): Promise<string[]> {
    return readdir(folder).catch((error: unknown) => {
      if (missing(error)) return [];
      throw systemFault(error, folder);
    });
  }
}
