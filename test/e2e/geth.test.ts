import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Candidate } from '../../src/snapshot/choose.ts';
import type { SnapshotsConfig } from '../../src/config/schema.ts';
import { capture } from '../../src/store/capture.ts';
import { loadKey, loadTrust, signManifest } from '../../src/store/keys.ts';
import { SnapshotStore } from '../../src/store/store.ts';
import { layerOf } from '../../src/store/layer.ts';
import { materialize } from '../../src/store/materialize.ts';
import { ask } from '../../src/verify/ask.ts';
import { nodeFacts, type NodeFacts } from '../../src/verify/pack.ts';
import { freePort } from '../help/kept.ts';
import { ALONE, type AskedNode, chainOf, damageTables, type KeptGeth, keptGeth, transact } from '../help/keptGeth.ts';
import { findProgram, needs, needsRoot } from '../help/require.ts';
import { scratch, Vault } from '../help/vault.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

/** Adds a snapshot that is proven by its own word, of the newest one's files at a head that they do not have. @returns the newest */
async function lie({ directory, keyFile, trustFile }: SnapshotsConfig): Promise<Candidate> {
  const [key, keys] = [await loadKey(keyFile), await loadTrust(trustFile)];
  const store = new SnapshotStore({ root: directory, keys: () => keys, nowMs: () => Date.now() });
  const sound = (await store.trusted('test')).at(-1)!;
  const files = join(scratch(), 'files');
  const { snapshot } = sound.manifest;
  await materialize(store.objects, snapshot, files, { isReadOnly: false, onProgress: () => {} });
  const facts = { ...snapshot, head: { ...snapshot.head, number: snapshot.head.number + 7, hash: `0x${'a'.repeat(64)}` } };
  const { candidate } = await capture(store, { chain: 'test', clientKind: 'geth', directory: files, prove: () => Promise.resolve({ facts, proofDirectory: null }), kind: 'full', gzip: false, key, onProgress: () => {} });
  const verification = { atMs: Date.now(), levels: (['L0', 'L1', 'L2'] as const).map((level) => ({ level, verdict: 'proven', why: 'test', counts: {} }) as const) };
  await store.manifests.replace({ id: candidate.id, manifest: signManifest({ snapshot: candidate.manifest.snapshot, verification }, key) });
  return sound;
}

describe.skipIf(!needs('geth'))('a directory of real files (needs geth)', () => {
  const command = findProgram('geth') ?? 'geth';

  const start = async (directory: string): Promise<AskedNode & { readonly stop: () => Promise<boolean> }> => {
    const port = await freePort();
    const child = spawn(command, ['--datadir', directory, '--http', '--http.port', String(port), ...ALONE], { stdio: 'ignore' });
    const over = once(child, 'exit');
    const stop = async (): Promise<boolean> => {
      child.kill('SIGINT');
      const [code] = await over;
      return code === 0;
    };
    undo.push(stop);
    const node = { name: 'geth', url: `http://127.0.0.1:${port}` };
    await vi.waitFor(() => ask(node, 'eth_chainId', []), { timeout: 30_000, interval: 50 });
    return { ...node, stop };
  };

  it('is captured whole and three times more: each restores with every hash equal, and boots with its own chain; only what changed is stored', async () => {
    const vault = await Vault.open();
    const data = join(scratch(), 'geth');
    const taken: { readonly candidate: Candidate; readonly facts: NodeFacts; readonly chain: unknown[]; readonly files: ReadonlyMap<string, string>; readonly bytes: number; readonly newBytes: number }[] = [];
    for (let rounds = 0; taken.length < 4 && rounds < 12; rounds++) {
      const node = await start(data);
      await transact(node, 30);
      const [facts, chain] = [await nodeFacts(node), await chainOf(node)];
      // it answers before it listens to signals: one that was ended by the signal itself has written nothing
      if (!(await node.stop())) continue;
      const { candidate, counts } = await vault.capture(data, { kind: 'incremental', facts: { chain: { ...Vault.facts.chain, chainId: facts.chainId, genesisHash: facts.genesisHash }, client: { kind: 'geth', version: facts.clientVersion }, head: facts.head, source: 'geth' } });
      const files = new Map(candidate.manifest.snapshot.files.map(({ path }) => [path, sha256(join(data, path))]));
      taken.push({ candidate, facts, chain, files, bytes: counts.bytes, newBytes: counts.newStoredBytes });
    }
    const heads = taken.map(({ facts }) => facts.head.number);
    expect(heads).toEqual(heads.toSorted((x, y) => x - y));
    expect(taken.map(({ candidate }) => candidate.manifest.snapshot.kind)).toEqual(['full', 'incremental', 'incremental', 'incremental']);
    const paths = [...(taken[0]?.files.keys() ?? [])];
    expect(paths.some((path) => path.startsWith('geth/chaindata/'))).toBe(true);
    expect(paths.filter((path) => /nodekey|keystore|LOCK|blobpool|nodes\//.test(path))).toEqual([]);
    for (const { bytes, newBytes } of taken.slice(1)) {
      expect(newBytes).toBeGreaterThan(0);
      expect(newBytes).toBeLessThan(bytes);
    }
    for (const { candidate, facts, chain, files } of taken) {
      const directory = join(scratch(), 'restored');
      await materialize(vault.store.objects, candidate.manifest.snapshot, directory, { isReadOnly: false, onProgress: () => {} });
      for (const [path, hash] of files) expect([path, sha256(join(directory, path))]).toEqual([path, hash]);
      const node = await start(directory);
      await vi.waitFor(async () => expect((await nodeFacts(node)).head).toEqual(facts.head), { timeout: 10_000, interval: 100 });
      expect(await chainOf(node)).toEqual(chain);
      await node.stop();
    }
  });

  describe.skipIf(!needsRoot())('kept (needs root)', () => {
    const kept = async (restoreBy: string): Promise<KeptGeth> => {
      const made = await keptGeth({ node: { restoreBy } });
      undo.push(() => made.close());
      return made;
    };

    it.each(['auto', 'copy'])('is captured, damaged, and restored by its controller with its own keys (restoreBy: %s)', async (restoreBy) => {
      const { node, dataDir, begun, capture, pid, done, trials } = await kept(restoreBy);
      await begun(4);
      const before = await chainOf(node);
      const captured = await capture();
      expect([captured.outcome, captured.why]).toEqual(['ok', expect.stringContaining('L2')]);
      const nodekey = readFileSync(join(dataDir, 'geth/nodekey'), 'utf8');
      process.kill(await pid(), 'SIGKILL');
      damageTables(dataDir);
      expect((await done('restore')).why).toContain('malformed manifest');
      expect(trials()).toEqual([['ok', expect.stringMatching(/^staged snapshot [0-9a-f]{12}: a node booted from it has head \d+$/)]]);
      // in --dev mode a start can add a block
      expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      expect(readFileSync(join(dataDir, 'geth/nodekey'), 'utf8')).toBe(nodekey);
      expect(await layerOf(dataDir)).toEqual(restoreBy === 'copy' ? null : expect.objectContaining({ chain: 'test' }));
      // It writes: what it makes from now on is its own.
      await transact(node, 1);
      expect((await chainOf(node)).length).toBeGreaterThan(before.length);
    });

    it('is not given a snapshot whose files boot with another head than it says: its data stays till the one before it has booted', async () => {
      const { node, begun, capture, pid, done, trials, journal, dataDir, snapshots } = await kept('auto');
      await begun(3);
      const before = await chainOf(node);
      expect((await capture()).outcome).toBe('ok');
      const sound = await lie(snapshots);
      process.kill(await pid(), 'SIGKILL');
      damageTables(dataDir);
      await done('restore');
      const { number } = sound.manifest.snapshot.head;
      expect(trials()).toEqual([
        ['failed', expect.stringContaining(`snapshot.head: is ${number + 7} 0xaaaa`)],
        ['ok', `staged snapshot ${sound.id.slice(0, 12)}: a node booted from it has head ${number}`],
      ]);
      const told = journal().filter(({ kind, what }) => (kind === 'step' && (what === 'stage' || what === 'swap')) || what === 'restore').map(({ what, outcome, why }) => [what, outcome, what === 'restore' ? why.includes(`but a node booted from it has ${number} ${sound.manifest.snapshot.head.hash}`) : true]);
      expect(told).toEqual([...Array.from({ length: 3 }, () => ['stage', 'failed', true]), ['restore', 'failed', true], ['stage', 'ok', true], ['swap', 'ok', true], ['restore', 'ok', false]]);
      expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    });

    it('whose data is gone is restored, not started anew', async () => {
      const { node, dataDir, begun, capture, pid, done } = await kept('auto');
      await begun(2);
      const before = await chainOf(node);
      expect((await capture()).outcome).toBe('ok');
      process.kill(await pid(), 'SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
      expect((await done('restore')).why).toContain('is gone from its data directory');
      expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    });
  });
});
