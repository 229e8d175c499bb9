import { readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { PARTIAL } from './atomic.ts';

export const STAGED = '.tidegate-staged-';
export const OLD = '.tidegate-old-';
export const FAILED = '.tidegate-failed-';

/** What lies beside a data directory, by the operation that put it there. */
export interface DataState {
  /** Data that is ready to take its place. */
  readonly staged: string | null;
  /** The operation whose data is in place; what was there before it is kept. */
  readonly swapped: string | null;
  /** The operation that set aside what was there before, whatever is in place now. */
  readonly kept: string | null;
  /** Staged, half staged or failed data lies there. */
  readonly isLittered: boolean;
}

export const stagedPath = (dataDir: string, operation: string): string => `${dataDir}${STAGED}${operation}`;
export const oldPath = (dataDir: string, operation: string): string => `${dataDir}${OLD}${operation}`;
export const failedPath = (dataDir: string, operation: string): string => `${dataDir}${FAILED}${operation}`;

/** Whether there is something at a path. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Ids of operations end with the time they began. */
const began = (operation: string): number => Number(/\d+$/.exec(operation)?.[0] ?? 0);

const newest = (names: readonly string[], prefix: string): string | null => {
  const operations = names.filter((name) => name.startsWith(prefix) && !name.endsWith(PARTIAL)).map((name) => name.slice(prefix.length));
  return operations.sort((a, b) => began(b) - began(a))[0] ?? null;
};

/** Looks at what is beside a data directory; nothing when it cannot be looked at. */
export function dataState(dataDir: string): DataState {
  let names: string[];
  try {
    names = readdirSync(dirname(dataDir));
  } catch {
    return { staged: null, swapped: null, kept: null, isLittered: false };
  }
  const name = basename(dataDir);
  const staged = newest(names, `${name}${STAGED}`);
  const kept = newest(names, `${name}${OLD}`);
  const isLittered = names.some((one) => one.startsWith(`${name}${STAGED}`) || one.startsWith(`${name}${FAILED}`));
  return { staged, kept, swapped: kept !== null && kept !== staged && names.includes(name) ? kept : null, isLittered };
}
