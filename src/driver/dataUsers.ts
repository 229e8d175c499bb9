import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { basename, sep } from 'node:path';
import type { RunSpec } from './port.ts';
import { startTicks, usersOfData } from './procfs.ts';

/** Of open(2): the low two bits say how a file is open; 0 is reading only. */
const ACCESS_MODE = 0o3;

const attempt = <T>(look: () => T, otherwise: T): T => {
  try {
    return look();
  } catch {
    // gone meanwhile, or another user's
    return otherwise;
  }
};

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(folder + sep);

/** A file below `folder` that a process has open for writing; null = none that can be seen. */
function writes(pid: number, folder: string): string | null {
  const fds = attempt(() => readdirSync(`/proc/${pid}/fd`), []);
  for (const fd of fds) {
    const path = attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '');
    if (!isBelow(path, folder)) continue;
    const flags = /^flags:\s+0?([0-7]+)$/m.exec(attempt(() => readFileSync(`/proc/${pid}/fdinfo/${fd}`, 'latin1'), ''))?.[1];
    if (flags !== undefined && (Number.parseInt(flags, 8) & ACCESS_MODE) !== 0) return path;
  }
  return null;
}

/** Whether a process runs the same program, with the folder, or what lies in it, among its arguments. */
function runsOn(pid: number, command: string, folder: string): boolean {
  const [program = '', ...args] = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8'), '').split('\0');
  return basename(program) === basename(command) && args.some((arg) => isBelow(arg.slice(arg.indexOf('=') + 1), folder));
}

/**
 * How a process that no driver has started uses a data directory: it writes there, or it is the same program and was given
 * the directory. Null = none does, as far as this user may see.
 */
export function strangerOn({ dataDir, command }: Pick<RunSpec, 'dataDir' | 'command'>): string | null {
  const folder = attempt(() => realpathSync(dataDir), '');
  if (folder === '') return null;
  for (const pid of readdirSync('/proc').map(Number)) {
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const path = writes(pid, folder);
    if (path !== null) return `process ${pid} has ${path} open for writing`;
    if (runsOn(pid, command, folder) && startTicks(pid) !== null) return `process ${pid} runs ${basename(command)} on its data directory`;
  }
  return null;
}

/** Of the processes that drivers have started on a data directory one that began before `pid`; null = `pid` is the first. */
export function earlierUser(dataDir: string, pid: number): number | null {
  const own = startTicks(pid) ?? 0;
  const isEarlier = (other: number): boolean => {
    const ticks = startTicks(other) ?? own;
    return other !== pid && (ticks < own || (ticks === own && other < pid));
  };
  return usersOfData(dataDir).find(isEarlier) ?? null;
}
