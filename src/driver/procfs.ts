import { readdirSync, readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Usage } from './port.ts';

/** Clock ticks of /proc per second: fixed at 100 on every Linux that Node.js runs on. */
const TICKS_PER_S = 100;
const PAGE_BYTES = 4096;

const read = (path: string): string | null => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
};

/** Fields of /proc/<pid>/stat from the third on: the second is a name that may hold anything. */
function statOf(pid: number): string[] | null {
  const text = read(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

/** Tells this boot of the machine from every other. */
export function bootId(): string {
  return read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
}

/**
 * When a process began, in ticks since boot: with the pid it names a process for good, for pids come again. Null when
 * there is none, or only its remains (a zombie).
 */
export function startTicks(pid: number): number | null {
  const stat = statOf(pid);
  if (stat === null || stat[0] === 'Z' || stat[0] === 'X') return null;
  return Number(stat[19]);
}

/** CPU, memory and open files of one process; null when it is gone. */
export function usageOf(pid: number): Usage | null {
  const stat = statOf(pid);
  if (stat === null) return null;
  const cpuMs = ((Number(stat[11]) + Number(stat[12])) * 1000) / TICKS_PER_S;
  return { cpuMs, memoryBytes: Number(stat[21]) * PAGE_BYTES, openFiles: countFiles(pid) };
}

function countFiles(pid: number): number | null {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null;
  }
}

/** Processes ended by the kernel for want of memory since boot; -1 = it does not tell. */
export function oomKills(): number {
  const line = read('/proc/vmstat')?.split('\n').find((one) => one.startsWith('oom_kill '));
  return line === undefined ? -1 : Number(line.slice(9));
}

/** Pids of all processes whose environment at their start held `entry` (`NAME=value`). */
export function pidsWithEnv(entry: string): number[] {
  const wanted = `\0${entry}\0`;
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isInteger(pid) && pid !== process.pid && `\0${read(`/proc/${pid}/environ`) ?? ''}\0`.includes(wanted) && startTicks(pid) !== null);
}

/** The mark of every process that runs on a data directory, in whatever it runs. */
export function dataMark(dataDir: string): readonly [name: string, value: string] {
  return ['TIDEGATE_DATA', resolve(dataDir)];
}

/** Pids of processes that drivers on this machine have started on a data directory. */
export function usersOfData(dataDir: string): number[] {
  return pidsWithEnv(dataMark(dataDir).join('='));
}

/** Whether two paths lead to one folder; null where that cannot be seen. */
export function isSameFolder(path: string, other: string): boolean | null {
  try {
    const [a, b] = [statSync(path), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return null;
  }
}
