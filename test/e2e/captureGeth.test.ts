import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configFromValue } from '../../src/config/parse.ts';
import { startController } from '../../src/controller/controller.ts';
import type { SnapshotTask } from '../../src/controller/snapshotTasks.ts';
import { materialize } from '../../src/store/materialize.ts';
import { chunksOf } from '../../src/store/store.ts';
import { openVault } from '../../src/vault/open.ts';
import { rpc } from '../help/client.ts';
import { testGateway } from '../help/gateway.ts';
import { freePort, QUICK } from '../help/kept.ts';
import { silentLog } from '../help/log.ts';
import { findProgram, needs } from '../help/require.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const undo: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const one of undo.splice(0).reverse()) await one();
});

const GETH = ['--dev', '--nodiscover', '--authrpc.port', '0', '--port', '0', '--verbosity', '2', '--http.api', 'eth,net,web3', '--ws', '--ws.port', '{httpPort}'];
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Makes the chain and tells the hash of its genesis, which hangs on an account that geth makes up. */
async function makeChain(dataDir: string): Promise<string> {
  const port = await freePort();
  const child: ChildProcess = spawn(findProgram('geth') ?? 'geth', ['--datadir', dataDir, '--http', '--http.port', String(port), ...GETH.map((arg) => arg.replace('{httpPort}', String(port)))], { stdio: 'ignore' });
  undo.push(() => void child.kill('SIGKILL'));
  const { hash } = await vi.waitFor(() => rpc<{ hash: string }>(`http://127.0.0.1:${port}`, 'eth_getBlockByNumber', ['0x0', false]), WAIT);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await ended;
  return hash;
}

async function keptGeth() {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-geth-'));
  undo.push(() => rmSync(dir, { recursive: true, force: true }));
  const dataDir = join(dir, 'own-1');
  const genesisHash = await makeChain(dataDir);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const tokenFile = join(dir, 'admin.token');
  const gateway = await testGateway([{ name: 'own-1', httpUrl: url, wsUrl: `ws://127.0.0.1:${port}` }], { tokenFile, chain: { chainId: 1337, blockTimeMs: 1000 } });
  undo.push(() => gateway.close());
  const parsed = configFromValue({
    snapshots: { directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'key'), trustFile: join(dir, 'keys', 'trust.json'), proof: { blocks: 32, samples: 16 }, gzip: false, tree: { enabled: false }, keep: { last: 4 } },
    chains: [{ name: 'test', upstreams: [{ name: 'own-1', http: url }], snapshots: { genesisHash, quorum: 0, levels: ['L0', 'L1', 'L2', 'L3', 'L4', 'L5', 'L6'] } }],
    controller: { stateDir: join(dir, 'state'), intervalMs: 200, rpcTimeoutMs: 1000, edge: { url: gateway.adminUrl, tokenFile }, admin: { port: 0, tokenFile: join(dir, 'controller.token') }, healing: { ...QUICK, minInService: 0, probation: { samples: 1, newBlocks: 0, timeoutMs: '30s' }, ramp: { percents: [100], stepMs: 0 } } },
    nodes: [{ name: 'own-1', chain: 'test', client: 'geth', command: findProgram('geth') ?? 'geth', args: GETH, httpPort: port, dataDir, stopGraceMs: '20s' }],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  const { config } = parsed;
  const controller = await startController(config, { log: silentLog() });
  undo.push(async () => {
    controller.keeper.wish('own-1', 'pause');
    await controller.close();
    await controller.keeper.endAll();
  });
  const serving = () => gateway.until((upstreams) => upstreams['own-1']?.state === 'serving' && upstreams['own-1'].assignedWeight === 100);
  const command = async (path: string, body: object): Promise<SnapshotTask> => {
    const origin = `http://127.0.0.1:${controller.adminPort}`;
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${readFileSync(config.controller.admin.tokenFile, 'utf8').trim()}` };
    const task = (await (await fetch(`${origin}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })).json()) as SnapshotTask;
    return vi.waitFor(async () => {
      const now = (await (await fetch(`${origin}/api/v1/snapshots/tasks/${task.id}`)).json()) as SnapshotTask;
      if (typeof now.endedAtMs !== 'number') throw new Error(`${JSON.stringify(task)} ${now.state}: ${now.told}`);
      return now;
    }, WAIT);
  };
  return { config, url, dir, serving, command };
}

describe.skipIf(!needs('geth'))('geth with real files (needs geth)', () => {
  it('a full capture and three incremental ones: what changed is stored, each is proven, restored file by file, and boots with its own head', async () => {
    const { config, url, dir, serving, command } = await keptGeth();
    const heads: string[] = [];
    for (let i = 0; i < 4; i++) {
      await serving();
      const [from] = await vi.waitFor(() => rpc<string[]>(url, 'eth_accounts', []), WAIT);
      for (let n = 0; n < 3; n++) {
        const hash = await rpc<string>(url, 'eth_sendTransaction', [{ from, to: `0x${'77'.repeat(20)}`, value: '0x5', data: `0x${`${i}${n}`.repeat(500)}` }]);
        await vi.waitFor(async () => expect(await rpc(url, 'eth_getTransactionReceipt', [hash])).not.toBeNull(), WAIT);
      }
      heads.push((await rpc<{ hash: string }>(url, 'eth_getBlockByNumber', ['latest', false])).hash);
      const done = await command('/api/v1/nodes/own-1/capture', { kind: i === 0 ? 'full' : 'incremental' });
      expect([done.state, done.told]).toEqual(['done', expect.stringMatching(/ bytes of which \d+ are new in the store, proven: L0 L1 L2 L3 L4 L5 L6$/)]);
    }
    const vault = await openVault({ settings: config.snapshots, chain: config.chains[0]!, peers: [], origins: new Map(), nowMs: () => Date.now() });
    const all = await vault.store.trusted('test');
    expect(all.map(({ manifest }) => manifest.snapshot.kind)).toEqual(['full', 'incremental', 'incremental', 'incremental']);
    expect(all.map(({ manifest }) => manifest.snapshot.head.hash)).toEqual(heads);
    expect(all[0]?.manifest.snapshot.excluded.map(({ reason }) => reason)).toContain('secret by its name');
    const stored = new Set<string>();
    for (const [i, { id, manifest: { snapshot } }] of all.entries()) {
      const fresh = chunksOf(snapshot).filter((chunk) => !stored.has(chunk.id));
      if (i > 0) expect(fresh.length).toBeLessThan(chunksOf(snapshot).length);
      for (const chunk of fresh) stored.add(chunk.id);
      const target = join(dir, `restored-${i}`);
      await materialize(vault.store.objects, snapshot, target, { isReadOnly: false, onProgress: () => undefined });
      const files = readdirSync(target, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
      expect(files.length).toBe(snapshot.files.length);
      for (const file of snapshot.files) expect(sha256(readFileSync(join(target, file.path))), file.path).toBe(sha256(Buffer.concat(await Promise.all(file.chunks.map((chunk) => vault.store.objects.read(chunk))))));
      const drilled = await command('/api/v1/nodes/own-1/drill', { snapshot: id });
      expect([drilled.state, drilled.told]).toEqual(['done', expect.stringContaining(`a node booted from it has head ${snapshot.head.number}`)]);
    }
    await serving();
  }, 300_000);
});
