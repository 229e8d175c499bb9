import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { groupUsage } from '../../../src/driver/cgroup.ts';

let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tidegate-cgroup-'));
});
afterEach(() => rmSync(dir, { recursive: true }));

const usageWith = (files: Readonly<Record<string, string>>): ReturnType<typeof groupUsage> => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return groupUsage(7, { proc: join(dir, 'proc'), cgroups: join(dir, 'cgroup') });
};

describe('usage of a control group', () => {
  it('is read from version 2', () => {
    const group = 'cgroup/system.slice/docker-ab.scope';
    const usage = usageWith({ 'proc/7/cgroup': '0::/system.slice/docker-ab.scope\n', [`${group}/cpu.stat`]: 'usage_usec 2500000\nuser_usec 2000000\n', [`${group}/memory.current`]: '4096\n' });
    expect(usage).toEqual({ cpuMs: 2500, memoryBytes: 4096 });
  });

  it('is read from version 1, also beside an empty hierarchy of version 2', () => {
    const groups = '9:name=systemd:/docker/ab\n4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n0::/\n';
    const usage = usageWith({ 'proc/7/cgroup': groups, 'cgroup/cpuacct/docker/ab/cpuacct.usage': '2500000000\n', 'cgroup/memory/docker/ab/memory.usage_in_bytes': '4096\n' });
    expect(usage).toEqual({ cpuMs: 2500, memoryBytes: 4096 });
  });

  it.each<[string, Record<string, string>]>([
    ['the process is in the root', { 'proc/7/cgroup': '0::/\n', 'cgroup/cpu.stat': 'usage_usec 1\n', 'cgroup/memory.current': '1\n' }],
    ['the group cannot be seen', { 'proc/7/cgroup': '0::/docker/ab\n' }],
    ['the process is gone', {}],
  ])('is not told where %s', (_, files) => {
    expect(usageWith(files)).toBeNull();
  });
});
