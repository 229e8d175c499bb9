import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, vi } from 'vitest';
import { configFromValue } from '../../src/config/parse.ts';
import type { SnapshotsConfig } from '../../src/config/schema.ts';
import { startController } from '../../src/controller/controller.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { unmountLayer } from '../../src/store/layer.ts';
import { ask } from '../../src/verify/ask.ts';
import { nodeFacts } from '../../src/verify/pack.ts';
import { testGateway } from './gateway.ts';
import { freePort, QUICK } from './kept.ts';
import { silentLog } from './log.ts';
import { findProgram } from './require.ts';
import { scratch } from './vault.ts';

/** A geth of its own chain, which makes a block for each transaction. */
export const ALONE = ['--dev', '--dev.period', '0', '--port', '0', '--nodiscover', '--maxpeers', '0', '--authrpc.port', '0', '--ipcdisable'];
const WAIT = { timeout: 60_000, interval: 50 };

export interface AskedNode {
  readonly name: string;
  readonly url: string;
}

/** Sends value back and forth; each transaction makes a block. */
export async function transact(node: AskedNode, count: number): Promise<void> {
  const [from] = (await ask(node, 'eth_accounts', [])) as string[];
  for (let i = 0; i < count; i++) {
    const hash = await ask(node, 'eth_sendTransaction', [{ from, to: `0x${'77'.repeat(20)}`, value: '0x5' }]);
    await vi.waitFor(async () => expect(await ask(node, 'eth_getTransactionReceipt', [hash])).toMatchObject({ status: '0x1' }), { timeout: 20_000, interval: 20 });
  }
}

/** What a node says of its chain: each block's hash, and what an account has. */
export async function chainOf(node: AskedNode): Promise<unknown[]> {
  const { head } = await nodeFacts(node);
  const blocks = await Promise.all(Array.from({ length: head.number + 1 }, (_, i) => ask(node, 'eth_getBlockByNumber', [`0x${i.toString(16)}`, false])));
  return [...blocks.map((block) => (block as { hash: string }).hash), await ask(node, 'eth_getBalance', [`0x${'77'.repeat(20)}`, 'latest'])];
}

/** One geth kept by a controller behind a gateway. */
export interface KeptGeth {
  readonly node: AskedNode;
  readonly dataDir: string;
  /** Waits until it serves, and sends so many transactions. */
  begun(transactions: number): Promise<void>;
  /** Has it captured by its controller, and waits until it is back. */
  capture(): Promise<JournalEntry>;
  pid(): Promise<number>;
  journal(): readonly JournalEntry[];
  /** What became of the boots of staged data: outcome and why of each. */
  trials(): readonly (readonly string[])[];
  readonly snapshots: SnapshotsConfig;
  /** Waits until an operation has succeeded. */
  done(operation: string): Promise<JournalEntry>;
  close(): Promise<void>;
}

/** Damages the list of its tables: geth does not start on it. */
export function damageTables(dataDir: string): void {
  const chaindata = join(dataDir, 'geth/chaindata');
  for (const name of readdirSync(chaindata).filter((one) => one.startsWith('MANIFEST'))) writeFileSync(join(chaindata, name), 'damaged');
}

/** @param change members of the node, and of `controller` */
export async function keptGeth(change: { readonly node?: object; readonly controller?: object } = {}): Promise<KeptGeth> {
  const dir = scratch();
  const httpPort = await freePort();
  const tokenFile = join(dir, 'admin.token');
  const node = { name: 'geth-1', url: `http://127.0.0.1:${httpPort}` };
  const dataDir = join(dir, node.name);
  const gateway = await testGateway([{ name: node.name, httpUrl: node.url, wsUrl: `ws://127.0.0.1:${httpPort}` }], { tokenFile, chain: { chainId: 1337, methods: { dev: true } } });
  const parsed = configFromValue({
    snapshots: { directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'key'), trustFile: join(dir, 'keys', 'trust.json'), threads: 1 },
    chains: [{ name: 'test', chainId: 1337, upstreams: [{ name: node.name, http: node.url }], snapshots: { levels: ['L0', 'L1', 'L2'], quorum: 0 } }],
    controller: { stateDir: join(dir, 'state'), intervalMs: 200, rpcTimeoutMs: 1000, edge: { url: gateway.adminUrl, tokenFile }, admin: { port: 0, tokenFile: join(dir, 'controller.token') }, healing: { ...QUICK, minInService: 0, chainHaltedMs: '1h', probation: { samples: 2, newBlocks: 0, timeoutMs: '30s' } }, ...change.controller },
    nodes: [{ name: node.name, chain: 'test', client: 'geth', command: findProgram('geth') ?? 'geth', args: ALONE, httpPort, dataDir, stopGraceMs: '20s', ...change.node }],
  });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const controller = await startController(parsed.config, { log: silentLog() });
  const entry = (wanted: (entry: JournalEntry) => boolean): Promise<JournalEntry> =>
    vi.waitFor(() => {
      const all = controller.journal.last(1000);
      const found = all.find(wanted);
      if (found === undefined) throw new Error(all.map(({ kind, what, why, outcome, error }) => `${kind} ${what} ${outcome}: ${why} ${error ?? ''}`).join('\n'));
      return found;
    }, WAIT);
  const done = (operation: string) => entry(({ kind, what, outcome }) => kind === 'operation' && what === operation && outcome === 'ok');
  return {
    node,
    dataDir,
    done,
    snapshots: parsed.config.snapshots,
    journal: () => controller.journal.last(1000),
    trials: () => controller.journal.last(1000).filter(({ what }) => what === 'trialBoot').map(({ outcome, why }) => [outcome, why]),
    begun: async (transactions) => {
      await vi.waitFor(() => ask(node, 'eth_chainId', []), WAIT);
      await done('start');
      await transact(node, transactions);
    },
    capture: async () => {
      const token = readFileSync(join(dir, 'controller.token'), 'utf8').trim();
      const answer = await fetch(`http://127.0.0.1:${controller.adminPort}/api/v1/nodes/${node.name}/capture`, { method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: '{}' });
      expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
      const captured = await entry(({ kind, what }) => kind === 'snapshot' && what === 'capture');
      await done('capture');
      return captured;
    },
    pid: () =>
      vi.waitFor(() => {
        const pid = controller.keeper.pidOf(node.name);
        if (pid === null) throw new Error('it does not run');
        return pid;
      }, WAIT),
    close: async () => {
      controller.keeper.wish(node.name, 'pause');
      await controller.close();
      await controller.keeper.endAll();
      await unmountLayer(dataDir);
      await gateway.close();
    },
  };
}
