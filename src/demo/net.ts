import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import { configFromValue } from '../config/parse.ts';
import type { Config } from '../config/schema.ts';
import { startController } from '../controller/controller.ts';
import type { Controller } from '../controller/controller.ts';
import type { Keeper } from '../controller/keeper.ts';
import type { DemoNet, DemoNetOptions, DemoNode, NamedNode } from '../cli/ports.ts';
import { findAnvil } from '../devnet/binary.ts';
import { fedAnvilArgs, startFedChain } from '../devnet/fed.ts';
import type { FedChain } from '../devnet/fed.ts';

const HARDFORK = 'prague';
const START_TIMEOUT_MS = 30_000;
const LOOK_EVERY_MS = 50;
/** A demo is watched: it heals as soon as it can be sure. */
const HEALING = {
  startGraceMs: '20s',
  unresponsiveMs: '4s',
  stallMs: '10s',
  shortRunMs: '10s',
  confirmMs: '1s',
  drainTimeoutMs: '5s',
  backoffMinMs: '1s',
  backoffMaxMs: '30s',
  minFreeBytes: '64MiB',
  // whoever tries it kills a lot
  maxAttemptsPerDay: 1000,
  probation: { samples: 3, newBlocks: 1, timeoutMs: '1m' },
  ramp: { percents: [1, 5, 25, 100], stepMs: '1s' },
};

/** Its state is on the disk. Should it not fit the chain any more, it is fed anew from the first block on. */
const NODE = { client: 'anvil', stopGraceMs: '5s', canResync: true };
/** One soon after the start, then now and then: whoever deletes data finds a fresh one. */
const SNAPSHOTS = { everyMs: '5m', fullEveryMs: '1h', threads: 1, capture: { enabled: true, jitter: 0, retryMs: '10s' } };
const STATE_ARGS = ['--state', '{dataDir}/state.json', '--state-interval', '2'];

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => done(port));
    });
  });
}

/**
 * Ends the nodes and removes their data when this process ends, even by SIGKILL: nodes outlive a controller, a demo's
 * should not. A shell waits for the end of a pipe that only this process holds open.
 */
function guard(dir: string): { release(): void } {
  const script = 'read -r _; for f in "$1"/state/nodes/*.run.json; do p=$(sed -n \'s/.*"pid":\\([0-9]*\\).*"endedAtMs":-1.*/\\1/p\' "$f"); [ -n "$p" ] && kill -9 -- "-$p"; done; rm -rf "$1"';
  const shell = spawn('/bin/sh', ['-c', script, 'sh', dir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true, env: { PATH: '/usr/bin:/bin' } });
  shell.on('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  return { release: () => void shell.kill('SIGKILL') };
}

function configOf(nodes: readonly DemoNode[], parts: { readonly options: DemoNetOptions; readonly dir: string; readonly args: readonly string[] }): Config {
  const { options, dir, args } = parts;
  const { edge, chain, controllerPort } = options;
  const result = configFromValue({
    chains: [{ name: chain, upstreams: nodes.map(({ name, httpUrl }) => ({ name, http: httpUrl })) }],
    controller: { stateDir: join(dir, 'state'), edge, admin: { port: controllerPort }, healing: HEALING },
    snapshots: { ...SNAPSHOTS, directory: join(dir, 'snapshots'), keyFile: join(dir, 'keys', 'snapshot.key'), trustFile: join(dir, 'keys', 'trust.json') },
    nodes: nodes.map(({ name, httpUrl }) => ({ ...NODE, name, chain, command: findAnvil(), args: [...args, ...STATE_ARGS], httpPort: Number(new URL(httpUrl).port), dataDir: join(dir, name) })),
  });
  if (!result.ok) throw new Error(result.problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return result.config;
}

/** Three ports for nodes that do not run yet: the gateway can be started before them. */
export async function demoNodes(count: number): Promise<readonly NamedNode[]> {
  const ports = await Promise.all(Array.from({ length: count }, freePort));
  return ports.map((port, i) => ({ name: `anvil-${i + 1}`, httpUrl: `http://127.0.0.1:${port}`, wsUrl: `ws://127.0.0.1:${port}` }));
}

/** Waits until the controller has seen every node run: whoever tries the demo is told their pids. One that stays down is told without. */
async function seenAll(nodes: readonly DemoNode[], timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (nodes.some(({ pid }) => pid === null) && performance.now() < deadline) await wait(LOOK_EVERY_MS);
}

/**
 * Has a node begin anew without data, since it cannot make the chain's next block: an anvil that was started on a state does
 * not know the hashes of older blocks, which contracts may ask for. Resolves when its new run goes.
 */
async function beginAnew(keeper: Keeper, name: string, isClosed: () => boolean): Promise<void> {
  const runOf = (): string => keeper.list().find(({ config }) => config.name === name)?.facts?.process.incarnation ?? '';
  const before = runOf();
  keeper.wish(name, 'resync');
  const deadline = performance.now() + START_TIMEOUT_MS;
  while (runOf() === before && !isClosed() && performance.now() < deadline) await wait(LOOK_EVERY_MS);
}

/**
 * Starts the demo's nodes under a controller, and the sequencer that makes one chain of them.
 * @throws Error when no node comes up, or a port is taken
 */
export async function startDemoNet(named: readonly NamedNode[], options: DemoNetOptions): Promise<DemoNet> {
  const dir = mkdtempSync(join(tmpdir(), 'tidegate-demo-'));
  const spec = { chainId: options.chainId, hardfork: HARDFORK, genesisTimestamp: Math.floor(Date.now() / 1000) };
  const held = guard(dir);
  let controller: Controller | null = null;
  let chain: FedChain | null = null;
  let isClosed = false;
  const close = async (): Promise<void> => {
    isClosed = true;
    await chain?.close();
    await controller?.close();
    await controller?.keeper.endAll();
    held.release();
    rmSync(dir, { recursive: true, force: true });
  };
  const pidOf = (name: string): number | null => controller?.keeper.pidOf(name) ?? null;
  const nodes = named.map((node): DemoNode => ({ ...node, get pid() { return pidOf(node.name); } }));
  try {
    const config = configOf(nodes, { options, dir, args: fedAnvilArgs(spec) });
    controller = await startController(config, { log: options.log, onEntry: options.onEntry });
    const fed = named.map(({ name, httpUrl, wsUrl }) => ({ name, httpUrl, wsUrl, reset: async () => (controller === null ? undefined : beginAnew(controller.keeper, name, () => isClosed)) }));
    chain = await startFedChain(fed, { ...spec, blockTimeMs: options.blockTimeMs, dataDir: dir, startTimeoutMs: START_TIMEOUT_MS, report: () => undefined });
    await seenAll(nodes, START_TIMEOUT_MS);
    return { nodes, controllerPort: controller.adminPort, dataDir: dir, close };
  } catch (error) {
    await close();
    throw error;
  }
}
