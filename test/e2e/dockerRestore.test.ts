import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { SnapshotTask } from '../../src/controller/snapshotTasks.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { layerOf } from '../../src/store/layer.ts';
import { rpc } from '../help/client.ts';
import { startDockerEngine } from '../help/dockerEngine.ts';
import type { DockerEngine } from '../help/dockerEngine.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept } from '../help/kept.ts';
import { chainOf, damageTables, keptGeth, transact } from '../help/keptGeth.ts';
import { findProgram, needs, needsRoot } from '../help/require.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

/** Has the controller capture a node, and waits for what it comes to. */
async function capture(made: Kept, node: string): Promise<SnapshotTask> {
  const token = readFileSync(made.config.controller.admin.tokenFile, 'utf8').trim();
  const origin = `http://127.0.0.1:${made.controller.adminPort}`;
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const task = (await (await fetch(`${origin}/api/v1/nodes/${node}/capture`, { method: 'POST', headers, body: '{}' })).json()) as SnapshotTask;
  return vi.waitFor(async () => {
    const now = (await (await fetch(`${origin}/api/v1/snapshots/tasks/${task.id}`)).json()) as SnapshotTask;
    if (typeof now.endedAtMs !== 'number') throw new Error(`${now.state}: ${now.told}`);
    return now;
  }, WAIT);
}

/** Calls through the gateway, one after the other, until the end is asked for. */
function client(url: string): { end(): Promise<{ readonly calls: number; readonly errors: readonly string[] }> } {
  const errors: string[] = [];
  let isOver = false;
  const run = (async () => {
    let calls = 0;
    for (; !isOver; calls++) {
      await rpc<string>(url, 'eth_getBalance', [`0x${calls.toString(16).padStart(40, '0')}`, 'latest']).catch((error: unknown) => errors.push(String(error)));
      await wait(20);
    }
    return calls;
  })();
  return {
    end: async () => {
      isOver = true;
      return { calls: await run, errors };
    },
  };
}

/** Tells a directory from another that was put in its place. */
const identity = (path: string): string => {
  const { dev, ino } = statSync(path);
  return `${dev}:${ino}`;
};

describe.skipIf(!needs('dockerd') || !needsRoot())('restores of nodes in containers (needs dockerd, root)', () => {
  let engine: DockerEngine;
  beforeAll(async () => {
    engine = await startDockerEngine();
  });
  afterAll(() => engine?.dispose());

  it('a node whose state is damaged, and one whose data is deleted, come back from the newest proven snapshot; no client sees an error', async () => {
    await engine.importPrograms('anvil', [findAnvil()]);
    const made = await keptChain({
      controller: { docker: { socketPath: engine.socketPath, prefix: 'restored', image: 'anvil' } },
      config: (dir) => ({ snapshots: { directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'key'), trustFile: join(dir, 'keys', 'trust.json'), proof: { blocks: 8, samples: 16 } } }),
      change: (node) => ({ driver: 'docker', args: [...(node['args'] as string[]), '--state', '{dataDir}/state.json', '--state-interval', '1'] }),
    });
    undo.push(() => made.close());
    await made.serving(...made.names);
    const captured = await capture(made, 'kept-2');
    expect([captured.state, captured.told]).toEqual(['done', expect.stringContaining('proven: L0 L1 L2 L3 L4 L5 L6')]);
    await made.serving(...made.names);
    const calls = client(made.gateway.url);
    const heal = async (name: string, damage: (dataDir: string) => void): Promise<{ readonly why: string; readonly steps: readonly string[] }> => {
      const node = made.config.nodes.find((one) => one.name === name)!;
      const from = made.journal().length;
      process.kill(await made.pid(name), 'SIGKILL');
      damage(node.dataDir);
      const healed = await made.entry((entry) => entry.node === name && entry.kind === 'operation' && entry.what === 'restore' && entry.outcome === 'ok', from);
      expect(healed.durationMs).toBeGreaterThan(0);
      await made.serving(...made.names);
      // the new container has what was put in the place of the old data
      expect(identity(`/proc/${await made.pid(name)}/root${node.dataDir}`)).toBe(identity(node.dataDir));
      return { why: healed.why, steps: made.journal().slice(from).filter((entry) => entry.node === name && entry.kind === 'step').map(({ what }) => what) };
    };
    const damaged = await heal('kept-1', (dataDir) => writeFileSync(join(dataDir, 'state.json'), '{ "damaged'));
    expect(damaged.why).toContain('state');
    expect(damaged.steps).toEqual(expect.arrayContaining(['stage', 'swap', 'start', 'uncordon']));
    const lost = await heal('kept-3', (dataDir) => rmSync(dataDir, { recursive: true, force: true }));
    expect(lost.why).toContain('a state file is gone from its data directory');
    expect(lost.steps).toEqual(expect.arrayContaining(['stage', 'swap', 'start', 'uncordon']));
    const trials = made.journal().filter(({ what }) => what === 'trialBoot').map(({ node, outcome, why }) => [node, outcome, why]);
    const ok = expect.stringContaining(`staged snapshot ${captured.snapshot?.slice(0, 12)}: a node booted from it has head`);
    expect(trials).toEqual([['kept-1', 'ok', ok], ['kept-3', 'ok', ok]]);
    const { calls: count, errors } = await calls.end();
    expect([count > 100, errors]).toEqual([true, []]);
    const hashes = await Promise.all(made.config.nodes.map(({ httpPort }) => rpc<{ hash: string }>(`http://127.0.0.1:${httpPort}`, 'eth_getBlockByNumber', ['0x2', false])));
    expect(new Set(hashes.map(({ hash }) => hash)).size).toBe(1);
  });

  it.skipIf(!needs('geth'))('a geth whose tables are damaged comes back on the mounted snapshot (needs geth)', async () => {
    const command = findProgram('geth') ?? 'geth';
    await engine.importPrograms('geth', [command]);
    const { node, dataDir, begun, capture, pid, done, trials, close } = await keptGeth({ node: { driver: 'docker', image: 'geth' }, controller: { docker: { socketPath: engine.socketPath, prefix: 'mounted', image: 'geth' } } });
    undo.push(close);
    await begun(3);
    const before = await chainOf(node);
    const captured = await capture();
    expect([captured.outcome, captured.why]).toEqual(['ok', expect.stringContaining('L2')]);
    process.kill(await pid(), 'SIGKILL');
    damageTables(dataDir);
    const healed = await done('restore');
    expect(healed.durationMs).toBeGreaterThan(0);
    expect(healed.why).toContain('malformed manifest');
    expect(trials()).toEqual([['ok', expect.stringContaining('a node booted from it has head')]]);
    expect(await layerOf(dataDir)).toMatchObject({ chain: 'test' });
    // the container has the overlay, not the bare directory below it
    expect(identity(`/proc/${await pid()}/root${dataDir}`)).toBe(identity(dataDir));
    expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    await transact(node, 1);
    expect((await chainOf(node)).length).toBeGreaterThan(before.length);
  });
});
