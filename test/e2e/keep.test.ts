import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { startController } from '../../src/controller/controller.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { needs, needsRoot } from '../help/require.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

async function kept(options: KeptOptions = {}): Promise<Kept> {
  const made = await keptChain(options);
  undo.push(() => made.close());
  await made.serving(...made.names);
  return made;
}

const ended = (node: string, what: string) => (entry: { node: string; kind: string; what: string; outcome: string }): boolean => entry.node === node && entry.kind === 'operation' && entry.what === what && entry.outcome === 'ok';

describe('a kept node', () => {
  it('is started, and started again when it was killed', async () => {
    const { controller, entry, serving, pid, journal } = await kept();
    const before = await pid('kept-1');
    const from = journal().length;
    process.kill(before, 'SIGKILL');
    const healed = await entry(ended('kept-1', 'start'), from);
    expect(healed.why).toContain('ended by SIGKILL');
    expect(await pid('kept-1')).not.toBe(before);
    await serving('kept-1', 'kept-2', 'kept-3');
    const steps = journal().slice(from).filter(({ node, kind }) => node === 'kept-1' && kind === 'step').map(({ what }) => what);
    expect(steps).toEqual(['cordon', 'start', 'weight', 'uncordon', 'weight', 'weight']);
    expect(journal().slice(from).some(({ node, kind }) => node !== 'kept-1' && kind === 'step')).toBe(false);
    const metrics = await (await fetch(`http://127.0.0.1:${controller.adminPort}/metrics`)).text();
    expect(metrics).toContain('tidegate_heal_operations_total{chain="test",operation="start",outcome="done"}');
    expect(metrics).toContain('tidegate_node_ends_total{chain="test",node="kept-1",cause="signal"} 1');
    const told = await (await fetch(`http://127.0.0.1:${controller.adminPort}/api/v1/nodes/kept-1`)).json();
    expect(told).toMatchObject({ restarts: 1, rpcMs: expect.any(Number), process: { state: 'running', exitCode: null, usage: { openFiles: expect.any(Number), memoryBytes: expect.any(Number), cpuMs: expect.any(Number) } }, rpc: { syncing: false, headNumber: expect.any(Number) }, disk: { freeBytes: expect.any(Number), usedBytes: expect.any(Number) } });
  });

  it('is stopped and started anew when it hangs', async () => {
    const { entry, pid, journal } = await kept();
    const before = await pid('kept-2');
    const from = journal().length;
    process.kill(before, 'SIGSTOP');
    const healed = await entry(ended('kept-2', 'restart'), from);
    expect(healed.why).toMatch(/has not answered for \d+ s/);
    const steps = journal().slice(from).filter(({ node, kind }) => node === 'kept-2' && kind === 'step').map(({ what }) => what);
    expect(steps.slice(0, 3)).toEqual(['cordon', 'stop', 'start']);
    expect(await pid('kept-2')).not.toBe(before);
  });

  it('runs on when the controller dies, and is found again', async () => {
    const made = await kept();
    const pids = await Promise.all(made.names.map((name) => made.pid(name)));
    await made.controller.close();
    const from = made.journal().length;
    made.controller = await startController(made.config, { log: silentLog() });
    expect(await Promise.all(made.names.map((name) => made.pid(name)))).toEqual(pids);
    await made.serving(...made.names);
    expect(made.journal().slice(from).filter(({ kind }) => kind === 'step')).toEqual([]);
  });

  it('two that die together are both started', async () => {
    const { entry, pid, journal, serving } = await kept();
    const from = journal().length;
    for (const name of ['kept-1', 'kept-3']) process.kill(await pid(name), 'SIGKILL');
    await entry(ended('kept-1', 'start'), from);
    await entry(ended('kept-3', 'start'), from);
    await serving('kept-1', 'kept-2', 'kept-3');
  });
});

describe('a node that cannot run', () => {
  const only = (node: string, wanted: string) => (entry: { node: string; kind: string; what: string }): boolean => entry.node === node && entry.kind === 'human' && entry.what === wanted;

  it('with a bad config is given to a human at once, without a storm of restarts', async () => {
    const made = await keptChain({ change: (node, i) => (i === 2 ? { args: [...(node.args as string[]), '--no-such-option'] } : {}) });
    undo.push(() => made.close());
    const call = await made.entry(only('kept-3', 'callHuman'));
    expect(call.why).toContain('--no-such-option');
    expect(made.journal().filter(({ node, kind, what }) => node === 'kept-3' && kind === 'step' && what === 'start')).toHaveLength(1);
    const metrics = await (await fetch(`http://127.0.0.1:${made.controller.adminPort}/metrics`)).text();
    expect(metrics).toContain('tidegate_node_log_sign{chain="test",node="kept-3",sign="badConfig"} 1');
    expect(metrics).toContain('tidegate_node_exit_code{chain="test",node="kept-3"} 2');
    await made.serving('kept-1', 'kept-2');
  });

  it('with its port taken is tried a few times, then given to a human', async () => {
    const thief = createServer((_, answer) => void answer.end());
    const made = await keptChain();
    undo.push(() => made.close());
    await made.serving(...made.names);
    const port = made.config.nodes[0]?.httpPort ?? 0;
    made.controller.keeper.wish('kept-1', 'stop');
    await made.entry(ended('kept-1', 'stop'));
    await new Promise<void>((done) => thief.listen(port, '127.0.0.1', done));
    undo.push(() => void thief.close());
    const from = made.journal().length;
    made.controller.keeper.wish('kept-1', 'start');
    const call = await made.entry(only('kept-1', 'callHuman'), from);
    expect(call.why).toMatch(/in use/i);
    expect(made.journal().slice(from).filter(({ node, kind, what }) => node === 'kept-1' && kind === 'step' && what === 'start').length).toBeLessThanOrEqual(5);
  });
});

it.skipIf(!needs('mount') || !needsRoot())('a node whose disk is full is given to a human and not restarted (needs mount, root)', async () => {
  const small = mkdtempSync(join(tmpdir(), 'tidegate-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tidegate-full', small]);
  undo.push(() => {
    execFileSync('umount', [small]);
    rmSync(small, { recursive: true });
  });
  const made = await keptChain({ healing: { minFreeBytes: '8MiB' }, change: (_, i) => (i === 1 ? { dataDir: join(small, 'data') } : {}) });
  undo.push(() => made.close());
  const call = await made.entry(({ node, what }) => node === 'kept-2' && what === 'callHuman');
  expect(call.why).toMatch(/bytes free, 8388608 wanted/);
  expect(made.journal().filter(({ node, kind, what }) => node === 'kept-2' && kind === 'step' && what === 'stop')).toEqual([]);
});

it('a second controller on the same state is refused', async () => {
  const made = await kept();
  await expect(startController(made.config, { log: silentLog() })).rejects.toThrow(/in use by another controller, process \d+/);
});
