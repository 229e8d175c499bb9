import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SnapshotTask } from '../../src/controller/snapshotTasks.ts';
import { treeProblem } from '../../src/store/tree.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const WAIT = { timeout: 60_000, interval: 50 };
const at = (dir: string) => ({ directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'snapshot.key'), trustFile: join(dir, 'keys', 'trust.json') });

async function kept(snapshots: object = {}, options: KeptOptions = {}): Promise<Kept> {
  const made = await keptChain({
    config: (dir) => ({ snapshots: { ...at(dir), proof: { blocks: 8, samples: 16 }, ...snapshots } }),
    change: (node) => ({ args: [...(node['args'] as string[]), '--state', '{dataDir}/state.json', '--state-interval', '1'] }),
    ...options,
  });
  undo.push(() => made.close());
  await made.serving(...made.names);
  return made;
}

const vaultOf = (made: Kept): Promise<Vault> => openVault({ settings: made.config.snapshots, chain: made.config.chains[0]!, peers: [], nowMs: () => Date.now() });

/** Sends a command to the controller's admin port and waits for what it comes to. */
async function command(made: Kept, path: string, body: object): Promise<SnapshotTask> {
  const { readFileSync } = await import('node:fs');
  const token = readFileSync(made.config.controller.admin.tokenFile, 'utf8').trim();
  const origin = `http://127.0.0.1:${made.controller.adminPort}`;
  const answer = await fetch(`${origin}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify(body) });
  const task = (await answer.json()) as SnapshotTask;
  if (answer.status !== 202) throw new Error(JSON.stringify(task));
  return vi.waitFor(async () => {
    const now = (await (await fetch(`${origin}/api/v1/snapshots/tasks/${task.id}`)).json()) as SnapshotTask;
    if (now.endedAtMs === null) throw new Error(`${now.state}: ${now.told}`);
    return now;
  }, WAIT);
}

const beside = (made: Kept): string[] => readdirSync(made.dir).filter((name) => name.includes('.tidegate-') && !/\.tidegate-copy-/.test(name));

describe('a capture of a kept node', () => {
  it('takes it out of service, captures and proves its state, and lets it back; a drill restores it', async () => {
    const made = await kept();
    const from = made.journal().length;
    const done = await command(made, '/api/v1/nodes/kept-2/capture', { kind: 'full' });
    expect([done.state, done.told]).toEqual(['done', expect.stringContaining('proven: L0 L1 L2 L3 L4 L5 L6')]);
    await made.entry(({ node, kind, what, outcome }) => node === 'kept-2' && kind === 'operation' && what === 'capture' && outcome === 'ok', from);
    const steps = made.journal().slice(from).filter(({ node, kind }) => node === 'kept-2' && kind === 'step').map(({ what }) => what);
    expect(steps.slice(0, 2)).toEqual(['cordon', 'copy']);
    expect(steps).not.toContain('stop');
    expect(steps).toContain('uncordon');
    const vault = await vaultOf(made);
    const [one] = await vault.store.trusted('test');
    expect(one?.manifest.snapshot).toMatchObject({ source: 'kept-2', kind: 'full', client: { kind: 'anvil' } });
    const tree = await vi.waitFor(async () => {
      const found = await vault.store.trees.find('test', done.snapshot ?? '');
      if (found === null) throw new Error('no tree yet');
      return found;
    }, WAIT);
    expect(await treeProblem(tree.path, one?.manifest.snapshot.files ?? [])).toBeNull();

    const drilled = await command(made, '/api/v1/nodes/kept-1/drill', {});
    expect([drilled.state, drilled.told]).toEqual(['done', expect.stringContaining('a node booted from it has head')]);
    const metrics = await (await fetch(`http://127.0.0.1:${made.controller.adminPort}/metrics`)).text();
    expect(Number(/^tidegate_snapshot_drill_seconds\{chain="test"\} (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(beside(made)).toEqual([]);
    expect(existsSync(`${made.config.nodes[0]!.dataDir}.tidegate-drill`)).toBe(false);
  });
});
