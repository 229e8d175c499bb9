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
import { mkdtempSync, rmSync } from 'node:fs';
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

  it('tells the signal that ended a container, and limits its memory', async () => {
    const dataDir = join(mkdtempSync(join(tmpdir(), 'tidegate-docker-data-')), 'data');
    const driver = open('own');
    try {
      await driver.start('a', shellSpec(dataDir, IDLE, { limits: { memoryBytes: 64 * 1024 * 1024, cpus: 0.5 } }));
      const made = await engine.docker.getContainer('own-a').inspect();
      expect(made.HostConfig).toMatchObject({ Memory: 64 * 1024 * 1024, NanoCpus: 5e8, RestartPolicy: { Name: 'no' } });
      const { pid } = await driver.observe('a');
      process.kill(pid ?? 0, 'SIGKILL');
      expect(await seen(driver, 'a', ({ state }) => state === 'exited')).toMatchObject({ signal: 'SIGKILL', exitCode: null });
    } finally {
      await driver.forget('a');
      rmSync(join(dataDir, '..'), { recursive: true, force: true });
    }
  });

  it('does not know what runs while the engine cannot be asked', async () => {
    expect((await open('x', '/no/such/docker.sock').observe('a')).state).toBe('unknown');
  });

  it('keeps nodes in containers: one killed, one halted, both back in service', async () => {
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
    } finally {
      await made.close();
    }
  });
});
