import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configFromValue } from '../../src/config/parse.ts';
import { type Controller, startController } from '../../src/controller/controller.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import type { Candidate } from '../../src/snapshot/choose.ts';
import { layerOf, unmountLayer } from '../../src/store/layer.ts';
import { materialize } from '../../src/store/materialize.ts';
import { ask } from '../../src/verify/ask.ts';
import { nodeFacts, type NodeFacts } from '../../src/verify/pack.ts';
import { testGateway } from '../help/gateway.ts';
import { freePort, QUICK } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { findProgram, needs, needsRoot } from '../help/require.ts';
import { scratch, Vault } from '../help/vault.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const ALONE = ['--dev', '--dev.period', '0', '--port', '0', '--nodiscover', '--maxpeers', '0', '--authrpc.port', '0', '--ipcdisable'];
const sha256 = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

interface Node {
  readonly name: string;
  readonly url: string;
}

/** Sends value back and forth; each transaction makes a block. */
const transact = async (node: Node, count: number): Promise<void> => {
  const [from] = (await ask(node, 'eth_accounts', [])) as string[];
  for (let i = 0; i < count; i++) {
    const hash = await ask(node, 'eth_sendTransaction', [{ from, to: `0x${'77'.repeat(20)}`, value: '0x5' }]);
    await vi.waitFor(async () => expect(await ask(node, 'eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1' }), { timeout: 20_000, interval: 20 });
  }
};

/** What a node says of its chain: each block's hash, and what an account has. */
const chainOf = async (node: Node): Promise<unknown[]> => {
  const { head } = await nodeFacts(node);
  const blocks = await Promise.all(Array.from({ length: head.number + 1 }, (_, i) => ask(node, 'eth_getBlockByNumber', [`0x${i.toString(16)}`, false])));
  return [...blocks.map((block) => (block as { hash: string }).hash), await ask(node, 'eth_getBalance', [`0x${'77'.repeat(20)}`, 'latest'])];
};

describe.skipIf(!needs('geth'))('a directory of real files (needs geth)', () => {
  const command = findProgram('geth') ?? 'geth';

  const start = async (directory: string): Promise<Node & { readonly stop: () => Promise<boolean> }> => {
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
    const WAIT = { timeout: 60_000, interval: 50 };

    /** One node kept by a controller behind a gateway, and one proven snapshot of it, captured by the controller. */
    const kept = async (restoreBy: string) => {
      const dir = scratch();
      const httpPort = await freePort();
      const tokenFile = join(dir, 'admin.token');
      const node = { name: 'geth-1', url: `http://127.0.0.1:${httpPort}` };
      const gateway = await testGateway([{ name: node.name, httpUrl: node.url, wsUrl: `ws://127.0.0.1:${httpPort}` }], { tokenFile, chain: { chainId: 1337, methods: { dev: true } } });
      undo.push(() => gateway.close());
      const parsed = configFromValue({
        snapshots: { directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'key'), trustFile: join(dir, 'keys', 'trust.json'), threads: 1 },
        chains: [{ name: 'test', chainId: 1337, upstreams: [{ name: node.name, http: node.url }], snapshots: { levels: ['L0', 'L1', 'L2'], quorum: 0 } }],
        controller: { stateDir: join(dir, 'state'), intervalMs: 200, rpcTimeoutMs: 1000, edge: { url: gateway.adminUrl, tokenFile }, admin: { port: 0, tokenFile: join(dir, 'controller.token') }, healing: { ...QUICK, minInService: 0, chainHaltedMs: '1h', probation: { samples: 2, newBlocks: 0, timeoutMs: '30s' } } },
        nodes: [{ name: node.name, chain: 'test', client: 'geth', command, args: ALONE, httpPort, dataDir: join(dir, 'geth-1'), stopGraceMs: '20s', restoreBy }],
      });
      if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
      const controller = await startController(parsed.config, { log: silentLog() });
      undo.push(() => unmountLayer(join(dir, 'geth-1')));
      undo.push(async () => {
        controller.keeper.wish(node.name, 'pause');
        await controller.close();
        await controller.keeper.endAll();
      });
      return { dir, node, controller, token: readFileSync(join(dir, 'controller.token'), 'utf8').trim(), dataDir: join(dir, 'geth-1') };
    };
    const entry = (controller: Controller, wanted: (entry: JournalEntry) => boolean): Promise<JournalEntry> =>
      vi.waitFor(() => {
        const all = controller.journal.last(1000);
        const found = all.find(wanted);
        if (found === undefined) throw new Error(all.map(({ kind, what, why, outcome, error }) => `${kind} ${what} ${outcome}: ${why} ${error ?? ''}`).join('\n'));
        return found;
      }, WAIT);
    const pidOf = (controller: Controller): Promise<number> =>
      vi.waitFor(() => {
        const pid = controller.keeper.pidOf('geth-1');
        if (pid === null) throw new Error('it does not run');
        return pid;
      }, WAIT);

    it.each(['auto', 'copy'])('is captured, damaged, and restored by its controller with its own keys (restoreBy: %s)', async (restoreBy) => {
      const { node, controller, token, dataDir } = await kept(restoreBy);
      await vi.waitFor(() => ask(node, 'eth_chainId', []), WAIT);
      await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'start' && outcome === 'ok');
      await transact(node, 4);
      const before = await chainOf(node);
      const answer = await fetch(`http://127.0.0.1:${controller.adminPort}/api/v1/nodes/geth-1/capture`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{}' });
      expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
      const captured = await entry(controller, ({ kind, what }) => kind === 'snapshot' && what === 'capture');
      expect([captured.outcome, captured.why]).toEqual(['ok', expect.stringContaining('L2')]);
      await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'capture' && outcome === 'ok');
      const nodekey = readFileSync(join(dataDir, 'geth/nodekey'), 'utf8');
      process.kill(await pidOf(controller), 'SIGKILL');
      const chaindata = join(dataDir, 'geth/chaindata');
      for (const name of readdirSync(chaindata).filter((one) => one.startsWith('MANIFEST'))) writeFileSync(join(chaindata, name), 'damaged');
      const healed = await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'restore' && outcome === 'ok');
      expect(healed.why).toContain('malformed manifest');
      // in --dev mode a start can add a block
      expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
      expect(readFileSync(join(dataDir, 'geth/nodekey'), 'utf8')).toBe(nodekey);
      expect(await layerOf(dataDir)).toEqual(restoreBy === 'copy' ? null : expect.objectContaining({ chain: 'test' }));
      // It writes: what it makes from now on is its own.
      await transact(node, 1);
      expect((await chainOf(node)).length).toBeGreaterThan(before.length);
    });

    it('whose data is gone is restored, not started anew', async () => {
      const { node, controller, token, dataDir } = await kept('auto');
      await vi.waitFor(() => ask(node, 'eth_chainId', []), WAIT);
      await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'start' && outcome === 'ok');
      await transact(node, 2);
      const before = await chainOf(node);
      await fetch(`http://127.0.0.1:${controller.adminPort}/api/v1/nodes/geth-1/capture`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{}' });
      await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'capture' && outcome === 'ok');
      await entry(controller, ({ kind, what, outcome }) => kind === 'snapshot' && what === 'capture' && outcome === 'ok');
      process.kill(await pidOf(controller), 'SIGKILL');
      rmSync(dataDir, { recursive: true, force: true });
      const healed = await entry(controller, ({ kind, what, outcome }) => kind === 'operation' && what === 'restore' && outcome === 'ok');
      expect(healed.why).toContain('is gone from its data directory');
      expect((await chainOf(node)).slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    });
  });
});
