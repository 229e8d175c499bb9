import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { configFromValue } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import { startController } from '../../src/controller/controller.ts';
import type { Controller } from '../../src/controller/controller.ts';
import { findAnvil } from '../../src/devnet/binary.ts';
import { fedAnvilArgs, startFedChain } from '../../src/devnet/fed.ts';
import type { FedChain } from '../../src/devnet/fed.ts';
import type { JournalEntry } from '../../src/observe/journal.ts';
import { testGateway } from './gateway.ts';
import type { TestGateway } from './gateway.ts';
import { silentLog } from './log.ts';

/** A port that nobody listens on now. */
export function freePort(): Promise<number> {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/** Healing fast enough to watch. */
export const QUICK = {
  startGraceMs: '10s',
  unresponsiveMs: '2s',
  stallMs: '5s',
  shortRunMs: '5s',
  confirmMs: '500ms',
  drainTimeoutMs: '2s',
  backoffMinMs: '500ms',
  backoffMaxMs: '2s',
  minFreeBytes: 0,
  probation: { samples: 2, newBlocks: 1, timeoutMs: '30s' },
  ramp: { percents: [1, 25, 100], stepMs: '200ms' },
};

export interface KeptOptions {
  readonly nodes?: number;
  /** Of these, the last so many are neither kept nor known to the gateway yet. */
  readonly late?: number;
  /** The gateway is told of none of the nodes but the first. */
  readonly strange?: boolean;
  readonly healing?: object;
  /** Members of `controller`. */
  readonly controller?: object;
  /** Where the controller finds the gateway's admin port instead. */
  readonly between?: (adminUrl: string) => Promise<string>;
  /** Changes the config of node `index`. */
  readonly change?: (node: Record<string, unknown>, index: number) => object;
  /** Between two blocks; 0 = only on `blockNow`. */
  readonly blockMs?: number;
  /** Sections beside the usual ones, and of the chain. */
  readonly config?: (dir: string) => object;
  readonly chain?: object;
}

/** Three real nodes kept by a real controller behind a real gateway, a block each 500 ms. */
export interface Kept {
  readonly config: Config;
  readonly gateway: TestGateway;
  readonly names: readonly string[];
  /** Every node as it would stand in a configuration, the late ones too. */
  readonly nodes: readonly Record<string, unknown>[];
  readonly dir: string;
  controller: Controller;
  chain: FedChain | null;
  journal(): readonly JournalEntry[];
  /** Pid of a node's process, as the controller sees it. */
  pid(name: string): Promise<number>;
  /** Waits until an entry like this is in the journal, from entry `from` on. */
  entry(wanted: (entry: JournalEntry) => boolean, from?: number): Promise<JournalEntry>;
  serving(...names: string[]): Promise<void>;
  close(): Promise<void>;
}

const BLOCK_MS = 500;
const WAIT = { timeout: 60_000, interval: 50 };

export async function keptChain(options: KeptOptions = {}): Promise<Kept> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-kept-'));
  const all = Array.from({ length: options.nodes ?? 3 }, (_, i) => `kept-${i + 1}`);
  const names = all.slice(0, all.length - (options.late ?? 0));
  const genesisTimestamp = Math.floor(Date.now() / 1000);
  const spec = { chainId: 31_337, hardfork: 'prague', genesisTimestamp };
  const ports = await Promise.all(all.map(freePort));
  const tokenFile = join(dir, 'admin.token');
  const everyone = all.map((name, i) => ({ name, httpUrl: `http://127.0.0.1:${ports[i]}`, wsUrl: `ws://127.0.0.1:${ports[i]}` }));
  const fronted = everyone.slice(0, options.strange === true ? 1 : names.length);
  const gateway = await testGateway(fronted, { tokenFile, chain: { chainId: 31_337, blockTimeMs: BLOCK_MS, methods: { dev: true }, health: { ramp: { durationMs: 500 } } } });
  const nodes = all.map((name, i) => {
    const node = { name, chain: 'test', client: 'anvil', command: findAnvil(), args: fedAnvilArgs(spec), httpPort: ports[i], dataDir: join(dir, name), stopGraceMs: '5s' };
    return { ...node, ...options.change?.(node, i) };
  });
  const edgeUrl = (await options.between?.(gateway.adminUrl)) ?? gateway.adminUrl;
  const parsed = configFromValue({
    ...options.config?.(dir),
    chains: [{ name: 'test', upstreams: fronted.map(({ name, httpUrl }) => ({ name, http: httpUrl })), ...options.chain }],
    controller: { stateDir: join(dir, 'state'), intervalMs: 200, rpcTimeoutMs: 1000, edge: { url: edgeUrl, tokenFile }, admin: { port: 0, tokenFile: join(dir, 'controller.token') }, healing: { ...QUICK, ...options.healing }, ...options.controller },
    nodes: nodes.slice(0, names.length),
  });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join('\n'));
  const kept: Kept = {
    config: parsed.config,
    gateway,
    names,
    nodes,
    dir,
    controller: await startController(parsed.config, { log: silentLog() }),
    chain: null,
    journal: () => kept.controller.journal.last(1000),
    pid: async (name) => {
      const at = await vi.waitFor(() => {
        const found = kept.controller.keeper.list().find(({ config }) => config.name === name)?.facts?.process;
        if (found?.state !== 'running') throw new Error(`${name} does not run`);
        return found as unknown as { pid: number };
      }, WAIT);
      return at.pid;
    },
    entry: (wanted, from = 0) =>
      vi.waitFor(() => {
        const found = kept.journal().slice(from).find(wanted);
        if (found === undefined) throw new Error(kept.journal().slice(from).map(({ node, kind, what, why, error }) => `${node} ${kind} ${what}: ${why} ${error ?? ''}`).join('\n'));
        return found;
      }, WAIT),
    serving: async (...wanted) => {
      await gateway.until((upstreams) => wanted.every((name) => upstreams[name]?.state === 'serving' && upstreams[name].assignedWeight === 100));
    },
    close: async () => {
      await kept.chain?.close();
      for (const { config, facts } of kept.controller.keeper.list()) if (facts !== null) kept.controller.keeper.wish(config.name, 'pause');
      await kept.controller.close();
      await kept.controller.keeper.endAll();
      await gateway.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
  const fed = everyone.map(({ name, httpUrl, wsUrl }) => ({ name, httpUrl, wsUrl, reset: () => Promise.resolve() }));
  kept.chain = await startFedChain(fed, { ...spec, blockTimeMs: options.blockMs ?? BLOCK_MS, dataDir: dir, startTimeoutMs: 30_000, report: () => undefined });
  return kept;
}
