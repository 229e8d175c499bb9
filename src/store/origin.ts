import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import { writeWhole } from './atomic.ts';
import { writableOf } from './layer.ts';

/** Lies in restored data, so that it moves with it; its name keeps it out of every snapshot. */
const ORIGIN = '.tidegate-origin.json';

/** What restored data is from. */
export interface Origin {
  readonly snapshotId: string;
  /** Names of nodes: the snapshot's source, then those that the source's own data was from. Null = cannot be told. */
  readonly from: readonly string[] | null;
}

/** What data restored from a snapshot is from. @param roots what the data of the snapshot's source is from; null = that cannot be told */
export function originFrom({ id, manifest: { snapshot } }: Candidate, roots: readonly string[] | null): Origin {
  return { snapshotId: id, from: roots === null ? null : [...new Set([snapshot.source, ...roots])] };
}

/** Writes down what data is from, on the disk. @param directory is not mounted */
export async function markOrigin(directory: string, origin: Origin): Promise<void> {
  await writeWhole(join(await writableOf(directory), ORIGIN), JSON.stringify(origin));
}

/** Nodes that the data in a directory is from; empty = it was not restored, or is not there. Null = what is written there cannot be read. */
export async function originOf(dataDir: string): Promise<readonly string[] | null> {
  try {
    const { from } = JSON.parse(await readFile(join(await writableOf(dataDir), ORIGIN), 'utf8')) as Partial<Origin>;
    return Array.isArray(from) && from.every((name) => typeof name === 'string') ? from : null;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '') ? [] : null;
  }
}
