import { join } from 'node:path';
import type { Leaf } from '../snapshot/leaves.ts';
import type { Chunk, FileEntry } from '../snapshot/manifest.ts';
import { type ObjectFolder, objectName } from './objects.ts';

/** Where the bytes of a chunk lie. */
export interface ChunkPlace {
  readonly path: string;
  readonly offset: number;
  readonly storedBytes: number;
  readonly name: string;
}

/** A chunk of a leaf that has one. @throws TypeError for the leaf of a file */
const chunkOf = ({ chunk, file }: Leaf): Chunk => {
  if (chunk === null) throw new TypeError(`the leaf of ${file.path} has no bytes`);
  return chunk;
};

/** Places of chunks in an object folder. */
export function placesInStore(objects: ObjectFolder): (leaf: Leaf) => ChunkPlace {
  return (leaf) => {
    const chunk = chunkOf(leaf);
    return { ...objects.locate(chunk), offset: 0, name: `object ${objectName(chunk)}` };
  };
}

/** Places of chunks in a directory that a snapshot was written to, where they lie as they are. */
export function placesInTree(directory: string, files: readonly FileEntry[]): (leaf: Leaf) => ChunkPlace {
  const offsets = new Map<string, number[]>();
  for (const { path, chunks } of files) {
    const starts: number[] = [];
    let at = 0;
    for (const { sizeBytes } of chunks) {
      starts.push(at);
      at += sizeBytes;
    }
    offsets.set(path, starts);
  }
  return (leaf) => {
    const { sizeBytes } = chunkOf(leaf);
    const offset = offsets.get(leaf.file.path)?.[leaf.index] ?? 0;
    return { path: join(directory, leaf.file.path), offset, storedBytes: sizeBytes, name: `byte ${offset} on` };
  };
}
