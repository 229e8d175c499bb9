import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { makeFolder, PARTIAL } from './atomic.ts';
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
  return text === null ? null : livingHolder(text);
}

const livingHolder = async (text: string): Promise<Holder | null> => {
  let holder: Holder;
  try {
    holder = JSON.parse(text) as Holder;
  } catch {
    return null;
  }
  if (holder.host !== hostname()) return holder;
  return (await startOf(holder.pid)) === holder.started ? holder : null;
};

/** Puts a file in place whole or not at all: an empty one would look like that of a process that died. @returns whether it was free */
const placeNew = async (path: string, text: string): Promise<boolean> => {
  const beside = `${path}.${randomBytes(6).toString('hex')}${PARTIAL}`;
  try {
    await writeFile(beside, text, { flag: 'wx' });
    await link(beside, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw systemFault(error, path);
  } finally {
    await rm(beside, { force: true });
  }
};

/** Takes away what a dead holder left. Of many who see it dead one does so at a time: the file of who came after it stays. */
const takeAway = async (path: string, dead: string, own: string): Promise<void> => {
  const turn = `${path}.turn`;
  if (!(await placeNew(turn, own))) {
    if ((await lockHolder(turn)) === null) await rm(turn, { force: true });
    return;
  }
  try {
    if ((await readFile(path, 'utf8').catch(() => '')) === dead) await rm(path, { force: true });
  } finally {
    await rm(turn, { force: true });
  }
};

/**
 * Takes a lock. One that a process of this machine left behind when it died is taken over.
 * @param what is done under it, for whoever is refused
 * @throws StoreFault naming the holder
 */
export async function takeLock(path: string, what: string, nowMs: number): Promise<StoreLock> {
  const own: Holder = { host: hostname(), pid: process.pid, started: (await startOf(process.pid)) ?? '', sinceMs: nowMs, what };
  const text = JSON.stringify(own);
  await atPath(path, () => makeFolder(dirname(path)));
  for (let attempt = 0; attempt < 3; attempt++) {
    if (await placeNew(path, text)) return { release: () => rm(path, { force: true }) };
    const there = await readFile(path, 'utf8').catch(() => null);
    if (there === null) continue;
    const holder = await livingHolder(there);
    if (holder !== null) throw new StoreFault('locked', `${path}: process ${holder.pid} on ${holder.host} is at it (${holder.what})`);
    await atPath(path, () => takeAway(path, there, text));
  }
  throw new StoreFault('locked', `${path}: others keep taking it`);
}
