import type { Chunk, FileEntry } from '../snapshot/manifest.ts';

/** Reads a chunk; what it gives was hashed. */
export type ReadChunk = (chunk: Chunk) => Promise<Uint8Array>;

/** Size around which lines are handed out. */
const SLICE_BYTES = 1024 * 1024;
/** Longest line: a block with its receipts has at most a few MiB. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
const NEWLINE = 10;

/** Copies into memory of its own, which a thread can take over. */
const owned = (parts: readonly Uint8Array[]): Uint8Array => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** Some whole lines of a file. */
export interface Slice {
  readonly bytes: Uint8Array;
  /** Number of the first line, from 1. */
  readonly firstLine: number;
}

const countLines = (bytes: Uint8Array): number => {
  let lines = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
  return lines;
};

/** A file of lines, in slices that end with a line. @throws RangeError for a line without end */
export async function* slicesOf(file: FileEntry, read: ReadChunk): AsyncGenerator<Slice> {
  let rest: Uint8Array[] = [];
  let restBytes = 0;
  let firstLine = 1;
  for (const chunk of file.chunks) {
    let bytes = await read(chunk);
    while (bytes.length > 0) {
      const part = bytes.subarray(0, SLICE_BYTES);
      const end = part.lastIndexOf(NEWLINE) + 1;
      bytes = bytes.subarray(part.length);
      if (end === 0) {
        rest.push(part);
        restBytes += part.length;
        if (restBytes > MAX_LINE_BYTES) throw new RangeError(`file ${file.path}: line ${firstLine} is over ${MAX_LINE_BYTES} bytes`);
        continue;
      }
      const slice = owned([...rest, part.subarray(0, end)]);
      yield { bytes: slice, firstLine };
      firstLine += countLines(part.subarray(0, end));
      rest = end < part.length ? [part.subarray(end)] : [];
      restBytes = part.length - end;
    }
  }
  if (restBytes > 0) yield { bytes: owned(rest), firstLine };
}
