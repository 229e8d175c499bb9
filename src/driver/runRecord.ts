import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { makeFolder } from '../observe/folder.ts';

/** What is written down of a run, so that another controller finds it again. */
const schema = z.strictObject({
  /** -1: about to be started. */
  pid: z.int(),
  /** Ticks since boot at which the process began. */
  startTicks: z.number(),
  bootId: z.string(),
  startedAtMs: z.number(),
  endedAtMs: z.number(),
  exitCode: z.int().nullable(),
  signal: z.string().nullable(),
  oomKilled: z.boolean(),
  stopSignal: z.string(),
});

export type RunRecord = z.infer<typeof schema>;

/** Reads a record; null when there is none or it is damaged (the mark in the environment finds the process all the same). */
export function readRecord(path: string): RunRecord | null {
  try {
    return schema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return null;
  }
}

/** Replaces a record whole. @throws Error when the directory cannot be written to */
export function writeRecord(path: string, record: RunRecord): void {
  makeFolder(dirname(path));
  writeFileSync(`${path}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

export function dropRecord(path: string): void {
  rmSync(path, { force: true });
}
