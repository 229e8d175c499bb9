import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { SnapshotTask } from '../../src/controller/snapshotTasks.ts';
import { treeProblem } from '../../src/store/tree.ts';
import { openVault } from '../../src/vault/open.ts';
import type { Vault } from '../../src/vault/vault.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { scratch, writeFiles } from '../help/vault.ts';
import { keptChain } from '../help/kept.ts';
import type { Kept, KeptOptions } from '../help/kept.ts';

const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const WAIT = { timeout: 60_000, interval: 50 };
const at = (dir: string) => ({ directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'snapshot.key'), trustFile: join(dir, 'keys', 'trust.json') });

/** Three nodes that begin. */
async function begun(snapshots: object = {}, options: KeptOptions = {}): Promise<Kept> {
  const made = await keptChain({
    config: (dir) => ({ snapshots: { ...at(dir), proof: { blocks: 8, samples: 16 }, ...snapshots } }),
    change: (node) => ({ args: [...(node['args'] as string[]), '--state', '{dataDir}/state.json', '--state-interval', '1'] }),
    ...options,
  });
  undo.push(() => made.close());
  return made;
}

/** Three nodes in service. */
async function kept(snapshots: object = {}, options: KeptOptions = {}): Promise<Kept> {
  const made = await begun(snapshots, options);
  await made.serving(...made.names);
  return made;
}

const vaultOf = (made: Kept): Promise<Vault> => openVault({ settings: made.config.snapshots, chain: made.config.chains[0]!, peers: [], origins: new Map(), nowMs: () => Date.now() });

/** Sends a command to the controller's admin port and waits for what it comes to. */
async function command(made: Kept, path: string, body: object): Promise<SnapshotTask> {
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
    const folder = scratch();
    const program = join(folder, 'anvil.sh');
    // the port of the first drill is taken
    writeFiles(folder, { 'anvil.sh': `#!/bin/sh\ncase "$*" in *tidegate-drill*) if mkdir ${folder}/first 2>/dev/null; then echo 'Error: Address already in use (os error 98)' >&2; exit 1; fi;;\nesac\nexec ${findAnvil()} "$@"\n` });
    chmodSync(program, 0o755);
    const state = (args: unknown): string[] => [...(args as string[]), '--state', '{dataDir}/state.json', '--state-interval', '1'];
    const made = await kept({}, { change: (node, i) => ({ args: state(node['args']), ...(i === 0 ? { command: program } : {}) }) });
    const from = made.journal().length;
    const done = await command(made, '/api/v1/nodes/kept-2/capture', { kind: 'full' });
    expect([done.state, done.told]).toEqual(['done', expect.stringContaining('proven: L0 L1 L2 L3 L4 L5 L6')]);
    await made.entry(({ node, kind, what, outcome }) => node === 'kept-2' && kind === 'operation' && what === 'capture' && outcome === 'ok', from);
    const steps = made.journal().slice(from).filter(({ node, kind }) => node === 'kept-2' && kind === 'step').map(({ what }) => what);
    // a look that was under way may ask for the same step again
    expect(steps.filter((step, i) => step !== steps[i - 1]).slice(0, 2)).toEqual(['cordon', 'copy']);
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

    const kept1 = await command(made, '/api/v1/nodes/kept-1/drill', {});
    expect([kept1.state, kept1.told]).toEqual(['failed', expect.stringContaining('the trial boot could not be held: it ended with code 1: Error: Address already in use')]);
    const levels = (await vault.store.trusted('test'))[0]?.manifest.verification?.levels;
    expect(levels?.find(({ level }) => level === 'L2')?.verdict).toBe('proven');
    const drilled = await command(made, '/api/v1/nodes/kept-1/drill', {});
    expect([drilled.state, drilled.told]).toEqual(['done', expect.stringContaining('a node booted from it has head')]);
    const metrics = await (await fetch(`http://127.0.0.1:${made.controller.adminPort}/metrics`)).text();
    expect(Number(/^tidegate_snapshot_drill_seconds\{chain="test"\} (\S+)$/m.exec(metrics)?.[1])).toBeGreaterThan(0);
    expect(beside(made)).toEqual([]);
    expect(existsSync(`${made.config.nodes[0]!.dataDir}.tidegate-drill`)).toBe(false);
  });

  it('by schedule: a full one, then an incremental one of another node; the tree of the last proven one is kept and hashed', async () => {
    // not in service all at once: captures take one out after the other
    const made = await begun({ everyMs: '2s', fullEveryMs: '1h', capture: { enabled: true, jitter: 0.5, retryMs: '1s' }, tree: { checkEveryMs: '1s' }, keep: { last: 2, hourly: 0, daily: 0, weekly: 0, monthly: 0 } });
    const vault = await vaultOf(made);
    const two = await vi.waitFor(async () => {
      const all = await vault.store.trusted('test');
      if (all.length < 2 || all.some(({ manifest }) => manifest.verification === null)) throw new Error(made.journal().slice(-12).map(({ node, kind, what, why }) => `${node} ${kind} ${what}: ${why}`).join('\n'));
      return all.slice(-2).map(({ manifest }) => manifest.snapshot);
    }, WAIT);
    expect(two[1]).toMatchObject({ kind: 'incremental', parent: { sequence: two[0]?.sequence, headHash: two[0]?.head.hash } });
    expect(two[1]?.source).not.toBe(two[0]?.source);
    const tree = await vi.waitFor(async () => {
      const [found] = await vault.store.trees.list('test');
      if (found === undefined) throw new Error('no tree yet');
      // it may go for a newer one meanwhile: while it is mounted it stays
      await vault.store.trees.pin(found.id, 'nobody');
      if ((await vault.store.trees.find('test', found.id)) === null) throw new Error('gone');
      return found;
    }, WAIT);
    const from = made.journal().length;
    const file = join(tree.path, 'state.json');
    chmodSync(file, 0o644);
    const bytes = readFileSync(file);
    bytes[bytes.length - 2]! ^= 1;
    writeFileSync(file, bytes);
    const told = await made.entry(({ kind, what, outcome }) => kind === 'snapshot' && what === 'tree' && outcome === 'failed', from);
    expect(told.why).toContain('file state.json, chunk');
    expect((await vault.store.trees.find('test', tree.id))?.problem).toContain('has other bytes than the manifest names');
  });

  it('is refused in words where it cannot be, and never takes the last node out of service', async () => {
    const made = await kept({}, { nodes: 2, healing: { minInService: 2, patienceMs: '1s' }, change: (node, i) => (i === 1 ? { client: 'command', args: ['--host', '127.0.0.1', '--port', '{httpPort}', ...(node['args'] as string[])] } : {}) });
    await expect(command(made, '/api/v1/nodes/kept-2/capture', {})).rejects.toThrow('needs trialArgs');
    await expect(command(made, '/api/v1/nodes/nobody/capture', {})).rejects.toThrow('no such node');
    await expect(command(made, '/api/v1/nodes/kept-1/capture', { kind: 'half' })).rejects.toThrow('kind must be full or incremental');
    const from = made.journal().length;
    const waited = await command(made, '/api/v1/nodes/kept-1/capture', {});
    expect([waited.state, waited.told]).toEqual(['failed', expect.stringContaining('1 would stay in service, 2 wanted')]);
    expect(made.journal().slice(from).filter(({ kind }) => kind === 'step')).toEqual([]);
    const drilled = await command(made, '/api/v1/nodes/kept-1/drill', {});
    expect([drilled.state, drilled.told]).toEqual(['failed', 'no snapshot is proven as far as the configuration asks']);
  });
});
