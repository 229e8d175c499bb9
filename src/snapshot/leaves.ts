import { bigEndian, fromHex, join, type Sha256, utf8 } from './bytes.ts';
import type { Chunk, FileEntry, FileKind, SnapshotBody } from './manifest.ts';

const FILE = join(Uint8Array.of(0), utf8('tidegate.file.1'));
const CHUNK = join(Uint8Array.of(0), utf8('tidegate.chunk.1'));
const KIND: Readonly<Record<FileKind, number>> = { immutable: 0, paged: 1, stream: 2 };

/** What a file is part of: the node's data, or the proof that goes with it. */
export type Space = 'data' | 'proof';

/** A file without its chunks. */
export interface FileHead extends Omit<FileEntry, 'chunks'> {
  readonly space: Space;
  readonly chunkCount: number;
}

/** A leaf of the tree: one per file, followed by one per chunk of it. */
export interface Leaf {
  readonly file: FileHead;
  /** Place of the chunk in its file; -1 for the file itself. */
  readonly index: number;
  readonly chunk: Chunk | null;
}

const ofSpace = (space: Space, files: readonly FileEntry[]): Leaf[] =>
  files.flatMap(({ chunks, ...rest }) => {
    const file: FileHead = { ...rest, space, chunkCount: chunks.length };
    return [{ file, index: -1, chunk: null }, ...chunks.map((chunk, index): Leaf => ({ file, index, chunk }))];
  });

/** All leaves in order: the data, then the proof, each by path and index. */
export function leavesOf({ files, proof }: Pick<SnapshotBody, 'files' | 'proof'>): Leaf[] {
  return [...ofSpace('data', files), ...ofSpace('proof', proof)];
}

/** Hash of a leaf. Binds path, place and size to the bytes, so that equal chunks cannot change places. */
export function leafHash(sha256: Sha256, { file, index, chunk }: Leaf): Uint8Array {
  const path = sha256(utf8(`${file.space}/${file.path}`));
  if (chunk !== null) return sha256(join(CHUNK, path, bigEndian(index, 4), bigEndian(chunk.sizeBytes, 8), fromHex(chunk.id)));
  const shape = [bigEndian(file.mode, 4), bigEndian(file.sizeBytes, 8), bigEndian(file.chunkCount, 4)];
  return sha256(join(FILE, path, ...shape, Uint8Array.of(KIND[file.kind])));
}
