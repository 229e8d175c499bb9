import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DockerDriver } from '../../src/driver/dockerDriver.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { keptChain } from '../help/kept.ts';
import { startDockerEngine } from '../help/dockerEngine.ts';
import type { DockerEngine } from '../help/dockerEngine.ts';
import { driverContract, IDLE, seen, shellSpec } from '../help/driverContract.ts';
import { silentLog } from '../help/log.ts';
import { needs, needsRoot } from '../help/require.ts';
import { execFileSync } from 'node:child_process';
import Docker from 'dockerode';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

describe.skipIf(!needs('dockerd') || !needsRoot())('docker (needs dockerd, root)', () => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await startDockerEngine();
    await engine.importPrograms('shell', ['/bin/sh', '/bin/sleep']);
  });
  afterAll(() => engine?.dispose());

  const open = (prefix: string, socketPath = engine.socketPath): DockerDriver => new DockerDriver({ socketPath, prefix, image: 'shell', network: 'host', timeoutMs: 30_000, output: { maxBytes: 1_000_000, kept: 2 } }, silentLog());
  let bench = 0;
  driverContract('docker', () => {
    const prefix = `bench${++bench}`;
    return { driver: open(prefix), again: () => open(prefix), dispose: () => Promise.resolve() };
  });

  it('tells what a container takes as the engine does, and the signal that ended it, and limits its memory', async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'tidegate-docker-data-')), 'data');
    const driver = open('own');
    try {
      await driver.start('a', shellSpec(dataDir, IDLE, { limits: { memoryBytes: 64 * 1024 * 1024, cpus: 0.5 } }));
      const made = await engine.docker.getContainer('own-a').inspect();
      expect(made.HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, NanoCpus: 5e8, RestartPolicy: { Name: 'no' } });
      const { pid, usage } = await driver.observe('a');
      const { cpu_stats, memory_stats } = await engine.docker.getContainer('own-a').stats({ stream: false });
      expect(usage?.cpuMs).toBeGreaterThan(0);
      expect(usage?.cpuMs).toBeLessThanOrEqual(cpu_stats.cpu_usage.total_usage / 1e6);
      expect(Math.abs((usage?.memoryBytes ?? 0) - (memory_stats.usage ?? 0))).toBeLessThan(8 * 1024 * 1024);
      process.kill(pid ?? 0, 'SIGKILL');
      expect(await seen(driver, 'a', ({ state }) => state === 'exited')).toMatchObject({ signal: 'SIGKILL', exitCode: null });
    } finally {
      await driver.forget('a');
      rmSync(join(dataDir, '..'), { recursive: true, force: true });
    }
  });

  it('runs no node below what is mounted at its data directory', async () => {
    const apart = await startDockerEngine({ ownMounts: true });
    const dataDir = mkdtempSync(join(tmpdir(), 'tidegate-docker-data-'));
    try {
      await apart.importPrograms('shell', ['/bin/sh', '/bin/sleep']);
      const driver = open('apart', apart.socketPath);
      execFileSync('mount', ['-t', 'tmpfs', 'tidegate-apart', dataDir]);
      await expect(driver.start('a', shellSpec(dataDir, IDLE))).rejects.toThrow(`node a: its container had another folder at ${dataDir} than is there`);
      expect((await driver.observe('a')).state).toBe('absent');
    } finally {
      execFileSync('umount', [dataDir]);
      rmSync(dataDir, { recursive: true });
      await apart.dispose();
    }
  });

  it('starts anew what a crash has left made and not started, or started and not seen', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'tidegate-half-'));
    const half = await new Docker({ socketPath: engine.socketPath }).createContainer({ name: 'half-a', Image: 'shell', Entrypoint: ['/bin/sh'], Cmd: ['-c', 'exit 7'] });
    const driver = open('half');
    try {
      expect((await driver.observe('a')).state).toBe('absent');
      const spec = shellSpec(join(dir, 'data'), IDLE);
      mkdirSync(spec.dataDir);
      await driver.start('a', spec);
      expect((await driver.observe('a')).state).toBe('running');
      await expect(half.inspect()).rejects.toThrow(/no such container/i);
      const { incarnation } = await driver.observe('a');
      const next = open('half');
      await next.start('a', spec);
      expect((await next.observe('a')).incarnation).toBe(incarnation);
      await next.stop('a', incarnation, 0);
    } finally {
      await driver.forget('a');
      rmSync(dir, { recursive: true });
    }
  });

  it('does not know what runs while the engine cannot be asked', async () => {
    expect((await open('x', '/no/such/docker.sock').observe('a')).state).toBe('unknown');
  });

  it('keeps nodes in containers: one killed, one halted, two killed together, all back in service', async () => {
    await engine.importPrograms('anvil', [findAnvil()]);
    const made = await keptChain({ controller: { docker: { socketPath: engine.socketPath, prefix: 'kept', image: 'anvil' } }, change: () => ({ driver: 'docker' }) });
    try {
      await made.serving(...made.names);
      const from = made.journal().length;
      const ended = (node: string, what: string) => (entry: JournalEntry): boolean => entry.node === node && entry.kind === 'operation' && entry.what === what && entry.outcome === 'ok';
      process.kill(await made.pid('kept-1'), 'SIGKILL');
      await made.entry(ended('kept-1', 'start'), from);
      process.kill(await made.pid('kept-2'), 'SIGSTOP');
      await made.entry(ended('kept-2', 'restart'), from);
      await made.serving(...made.names);
      const again = made.journal().length;
      for (const name of ['kept-1', 'kept-3']) process.kill(await made.pid(name), 'SIGKILL');
      for (const name of ['kept-1', 'kept-3']) await made.entry(ended(name, 'start'), again);
      await made.serving(...made.names);
    } finally {
      await made.close();
    }
  });

  it('tells a bad config, a port that is taken and a full disk of containers apart, and calls a human for each', async () => {
    await engine.importPrograms('anvil', [findAnvil()]);
    const small = mkdtempSync(join(tmpdir(), 'tidegate-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tidegate-full', small]);
    const thief = createServer((_, answer) => void answer.end());
    const change = (node: Record<string, unknown>, i: number): object => {
      if (i === 1) thief.listen(Number(node.httpPort), '127.0.0.1');
      const own = [{ args: [...(node.args as string[]), '--no-such-option'] }, {}, { dataDir: join(small, 'data') }][i];
      return { driver: 'docker', ...own };
    };
    const made = await keptChain({ nodes: 4, healing: { minFreeBytes: '8MiB' }, controller: { docker: { socketPath: engine.socketPath, prefix: 'ill', image: 'anvil' } }, change });
    try {
      const called = (node: string) => made.entry((entry) => entry.node === node && entry.kind === 'human');
      expect((await called('kept-1')).why).toContain('--no-such-option');
      expect((await called('kept-2')).why).toMatch(/in use/i);
      expect((await called('kept-3')).why).toMatch(/bytes free, 8388608 wanted/);
      const starts = (node: string): number => made.journal().filter((entry) => entry.node === node && entry.kind === 'step' && entry.what === 'start').length;
      expect(starts('kept-1')).toBe(1);
      expect(starts('kept-2')).toBeLessThanOrEqual(5);
      await made.serving('kept-4');
    } finally {
      await made.close();
      thief.close();
      execFileSync('umount', [small]);
      rmSync(small, { recursive: true });
    }
  });
});
