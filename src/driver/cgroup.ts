import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** What all processes of a control group took. */
export interface GroupUsage {
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

const read = (path: string): string | null => {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return null;
  }
};

const numberIn = (text: string | null, pattern: RegExp): number => Number(pattern.exec(text ?? '')?.[1] ?? Number.NaN);

/**
 * Usage of the control group that a process is in, read from the kernel: version 1 where the memory controller has a hierarchy of
 * its own, else version 2. Sources: cgroups(7), the kernel's cgroup-v1/cpuacct, cgroup-v1/memory and cgroup-v2.
 * @param roots where proc and the control groups are mounted
 * @returns null where the process is in no group of its own, or its group cannot be seen from here
 */
export function groupUsage(pid: number, roots = { proc: '/proc', cgroups: '/sys/fs/cgroup' }): GroupUsage | null {
  const lines = (read(join(roots.proc, String(pid), 'cgroup')) ?? '').split('\n').map((line) => /^\d+:([^:]*):(.+)$/.exec(line));
  const pathOf = (controller: string): string | null => lines.find((line) => line?.[1]?.split(',').includes(controller))?.[2] ?? null;
  const [memory, cpu, unified] = [pathOf('memory'), pathOf('cpuacct'), pathOf('')];
  const at = (folder: string, path: string | null, file: string): string | null => (path === null || path === '/' ? null : read(join(roots.cgroups, folder, path, file)));
  const usage =
    memory === null
      ? { cpuMs: numberIn(at('', unified, 'cpu.stat'), /^usage_usec (\d+)$/m) / 1e3, memoryBytes: numberIn(at('', unified, 'memory.current'), /^(\d+)$/m) }
      : { cpuMs: numberIn(at('cpuacct', cpu, 'cpuacct.usage'), /^(\d+)$/m) / 1e6, memoryBytes: numberIn(at('memory', memory, 'memory.usage_in_bytes'), /^(\d+)$/m) };
  return Number.isNaN(usage.cpuMs + usage.memoryBytes) ? null : usage;
}
