import { closeSync, copyFileSync, fstatSync, openSync, readSync, renameSync, statSync, truncateSync } from 'node:fs';

const TAIL_BYTES = 65_536;
const LINE_CHARS = 500;

/** Limits of a node's output on disk. */
export interface OutputLimits {
  /** A file that has grown beyond is set aside. */
  readonly maxBytes: number;
  /** Files set aside that are kept: `<path>.1` is the newest. */
  readonly kept: number;
}

/**
 * Sets a grown output file aside. The process goes on writing to the file it has open, at its end, so the file is copied
 * and cut, not renamed: what is written in between is lost.
 */
export function rotate(path: string, limits: OutputLimits): boolean {
  if (sizeOf(path) <= limits.maxBytes) return false;
  for (let i = limits.kept - 1; i >= 1; i--) {
    if (sizeOf(`${path}.${i}`) >= 0) renameSync(`${path}.${i}`, `${path}.${i + 1}`);
  }
  if (limits.kept > 0) copyFileSync(path, `${path}.1`);
  truncateSync(path, 0);
  return true;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}

/** The last lines of a file, cut to a bounded length; none when there is no file. */
export function tail(path: string, lines: number): string[] {
  if (sizeOf(path) < 0) return [];
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES));
    const length = readSync(file, bytes, 0, bytes.length, size - bytes.length);
    const all = bytes.toString('utf8', 0, length).split('\n').map((line) => line.trimEnd());
    return all.filter((line) => line !== '').slice(-lines).map((line) => line.slice(0, LINE_CHARS));
  } finally {
    closeSync(file);
  }
}
