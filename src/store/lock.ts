import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { makeFolder } from './atomic.ts';
import { atPath, StoreFault, systemFault } from './fault.ts';

/** Who holds a lock. */
interface Holder {
  readonly host: string;
  readonly pid: number;
  /** Start of the process in ticks since boot: another process may get the same id. */
  readonly started: string;
  readonly sinceMs: number;
  readonly what: string;
}

/** A held lock. */
export interface StoreLock {
  release(): Promise<void>;
}

/** Start time of a process, or null when there is none. Source: field 22 of proc(5) `stat`, behind the name in brackets. */
const startOf = async (pid: number): Promise<string | null> => {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return process.platform === 'linux' || !isThere(pid) ? null : '';
  }
};

const isThere = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Who holds the lock file, or null when nobody does any more; what another machine wrote is believed. */
export async function lockHolder(path: string): Promise<Holder | null> {
  const text = await readFile(path, 'utf8').catch(() => null);
  if (text === null) return null;
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    return null;
  }
  if (holder.host !== hostname()) return holder;
  return (await startOf(holder.pid)) === holder.started ? holder : null;
}

/**
 * Takes a lock. One that a process of this machine left behind when it died is taken over.
 * @param what is done under it, for whoever is refused
 * @throws StoreFault naming the holder
 */
export async function takeLock(path: string, what: string, nowMs: number): Promise<StoreLock> {
  const own: Holder = { host: hostname(), pid: process.pid, started: (await startOf(process.pid)) ?? '', sinceMs: nowMs, what };
  await atPath(path, () => makeFolder(dirname(path)));
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      await writeFile(path, JSON.stringify(own), { flag: 'wx' });
      return { release: () => rm(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw systemFault(error, path);
    }
    const holder = await lockHolder(path);
    if (holder !== null) throw new StoreFault('locked', `${path}: process ${holder.pid} on ${holder.host} is at it (${holder.what})`);
    await rm(path, { force: true });
  }
  throw new StoreFault('locked', `${path}: others keep taking it`);
}
