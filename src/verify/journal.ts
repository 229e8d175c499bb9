import { appendFileSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder } from '../observe/folder.ts';
import type { RunJournal } from './chunks.ts';

/** What was found good longer ago is hashed again. */
const MAX_AGE_MS = 24 * 3_600_000;

/** A journal on disk; kept outside the store, since whoever writes it decides what is not hashed again. */
export interface FileJournal extends RunJournal {
  /** The verification is over: the next one begins anew. */
  finish(): void;
}

const load = (path: string, nowMs: number): Map<number, Uint8Array> => {
  const tops = new Map<number, Uint8Array>();
  let text = '';
  try {
    const { mtimeMs } = statSync(path);
    if (Math.abs(nowMs - mtimeMs) > MAX_AGE_MS) rmSync(path);
    else text = readFileSync(path, 'utf8');
  } catch {
    return tops;
  }
  for (const line of text.split('\n')) {
    const [, run, top] = /^(\d+) ([0-9a-f]{64})$/.exec(line) ?? [];
    if (run !== undefined && top !== undefined) tops.set(Number(run), Buffer.from(top, 'hex'));
  }
  return tops;
};

/** A journal only saves time: where it cannot be written, on a full disk or a read-only medium, the verification goes on without. */
const tryIt = (write: () => void): boolean => {
  try {
    write();
    return true;
  } catch {
    return false;
  }
};

/** Journal of the verification of one snapshot: goes on where one that was cut short ended. */
export function openJournal(folder: string, id: string, nowMs: number): FileJournal {
  const path = join(folder, `${id}.runs`);
  let isKept = tryIt(() => makeFolder(folder, 0o700));
  const tops = load(path, nowMs);
  const line = (run: number, top: Uint8Array): string => `${run} ${Buffer.from(top).toString('hex')}\n`;
  return {
    top: (run) => tops.get(run),
    add: (run, top) => {
      isKept = isKept && tryIt(() => appendFileSync(path, line(run, top), { mode: 0o600 }));
    },
    finish: () => void tryIt(() => rmSync(path, { force: true })),
  };
}
