import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Sha256 } from '../snapshot/bytes.ts';
import { leafHash } from '../snapshot/leaves.ts';
import type { Chunk } from '../snapshot/manifest.ts';
import { treeTop } from '../snapshot/merkle.ts';
import { type ChunksJob, type ChunksResult, MAX_FAULTS, type Place, type PlacedLeaf } from './jobs.ts';

/** Read at once: small enough to be hashed while it is still in the processor's cache. */
const READ_BYTES = 256 * 1024;

/** Opens at once even what nobody writes to, such as a pipe, to see that it is no file. */
const FLAGS = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const NO_FILE = 'no file';

const sha256: Sha256 = (bytes) => createHash('sha256').update(bytes).digest();

/** Reads a place piece by piece. @returns bytes read */
const readPlace = (fd: number, { offset, storedBytes }: Place, buffer: Buffer, onPiece: (piece: Buffer) => void): number => {
  let done = 0;
  while (done < storedBytes) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, storedBytes - done), offset + done);
    if (count === 0) break;
    onPiece(buffer.subarray(0, count));
    done += count;
  }
  return done;
};

/** What was read of a chunk. */
interface Measured {
  readonly id: string;
  readonly sizeBytes: number;
  readonly problem: string | null;
}

/** Hashes the chunks of leaves with one buffer, and one open file at a time. */
class ChunkReader {
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #path = '';
  #fd = -1;

  measure(chunk: Chunk, place: Place): Measured {
    try {
      return chunk.gzip === null ? this.#raw(chunk, place) : this.#packed(chunk, chunk.gzip.sha256, place);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'EUNKNOWN';
      return { id: chunk.id, sizeBytes: 0, problem: code === 'ENOENT' ? 'is missing' : code === NO_FILE ? 'is no file' : `cannot be read: ${code}` };
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }

  #open({ path }: Place): number {
    if (path === this.#path && this.#fd >= 0) return this.#fd;
    this.close();
    this.#fd = openSync(path, FLAGS);
    this.#path = path;
    if (!fstatSync(this.#fd).isFile()) throw Object.assign(new Error('no file'), { code: NO_FILE });
    return this.#fd;
  }

  #raw(chunk: Chunk, place: Place): Measured {
    const hash = createHash('sha256');
    const fd = this.#open(place);
    const sizeBytes = readPlace(fd, place, this.#buffer, (piece) => hash.update(piece));
    const id = hash.digest('hex');
    return { id, sizeBytes, problem: this.#judge(sizeBytes, place, id !== chunk.id) };
  }

  #packed(chunk: Chunk, storedHash: string, place: Place): Measured {
    const pieces: Buffer[] = [];
    const read = readPlace(this.#open(place), place, this.#buffer, (piece) => pieces.push(Buffer.from(piece)));
    const stored = Buffer.concat(pieces);
    const problem = this.#judge(read, place, createHash('sha256').update(stored).digest('hex') !== storedHash);
    if (problem !== null) return { id: storedHash, sizeBytes: 0, problem };
    try {
      const plain = gunzipSync(stored, { maxOutputLength: Math.max(1, chunk.sizeBytes) });
      const id = createHash('sha256').update(plain).digest('hex');
      return { id, sizeBytes: plain.length, problem: id === chunk.id ? null : 'unpacks to other bytes than the manifest names' };
    } catch {
      return { id: storedHash, sizeBytes: 0, problem: `does not unpack to ${chunk.sizeBytes} bytes` };
    }
  }

  #judge(read: number, { offset, storedBytes, name }: Place, isOther: boolean): string | null {
    if (read < storedBytes) return `is cut off: ${read} of ${storedBytes} bytes`;
    if (isOther) return 'has other bytes than the manifest names';
    const excess = offset === 0 && name.startsWith('object') ? fstatSync(this.#fd).size - storedBytes : 0;
    return excess > 0 ? `has ${excess} bytes more than it should` : null;
  }
}

/** Hashes what is really there, so that the top of the subtree is that of the bytes and not of the manifest. */
export function runChunks({ leaves }: ChunksJob): ChunksResult {
  const reader = new ChunkReader();
  const problems: string[] = [];
  let bytes = 0;
  const hash = ({ leaf, place }: PlacedLeaf): Uint8Array => {
    if (leaf.chunk === null || place === null) return leafHash(sha256, leaf);
    const { id, sizeBytes, problem } = reader.measure(leaf.chunk, place);
    bytes += sizeBytes;
    if (problem !== null && problems.length < MAX_FAULTS) problems.push(`file ${leaf.file.path}, chunk ${leaf.index}: ${place.name} ${problem}`);
    return leafHash(sha256, { ...leaf, chunk: { ...leaf.chunk, id, sizeBytes } });
  };
  try {
    return { top: treeTop(sha256, leaves.map(hash)), bytes, problems };
  } finally {
    reader.close();
  }
}
