import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findAnvil } from './binary.ts';
import { type Lock, lockFile } from './lock.ts';
import { BlockLog } from './log.ts';
import { DevnetNode } from './node.ts';
import type { LogHeader } from './record.ts';
import type { Report } from './report.ts';
import { NodeRpc } from './rpc.ts';
import { Sequencer } from './sequencer.ts';

/** Everything about a devnet that can be chosen. */
export interface DevnetOptions {
  /** How many nodes, from 1. */
  readonly nodes: number;
  readonly chainId: number;
  /** Between two blocks; 0 = only on `sequencer.blockNow`. */
  readonly blockTimeMs: number;
  /** Holds the chain's log; a log there is gone on with. Null = a temporary one, removed at the end. */
  readonly dataDir: string | null;
  /** Node i listens on basePort + i; 0 = free ports. */
  readonly basePort: number;
  /** Start a node again when its process ends unasked. */
  readonly autoRestart: boolean;
  readonly restartDelayMs: number;
  readonly hardfork: string;
  readonly report: Report;
}

export const DEVNET_DEFAULTS: DevnetOptions = {
  nodes: 3,
  chainId: 31337,
  blockTimeMs: 2_000,
  dataDir: null,
  basePort: 0,
  autoRestart: false,
  restartDelayMs: 3_000,
  hardfork: 'prague',
  report: () => undefined,
};

const START_TIMEOUT_MS = 15_000;
const STOP_GRACE_MS = 3_000;
const LIMITS = { rpcTimeoutMs: 2_000, idleMs: 1_000, retryMs: 200 };

/** A running devnet. */
export interface Devnet {
  readonly nodes: readonly DevnetNode[];
  readonly sequencer: Sequencer;
  readonly chainId: number;
  readonly dataDir: string;
  /** Ends the sequencer and every node, waits for their end, removes what was temporary. Idempotent. */
  close(): Promise<void>;
}

function openLog(path: string, options: DevnetOptions): BlockLog | null {
  const log = BlockLog.open(path);
  if (log === null) return null;
  const { chainId, hardfork } = log.header;
  if (chainId === options.chainId && hardfork === options.hardfork) return log;
  log.close();
  throw new Error(`${path} is of chain ${chainId} (${hardfork}), not of chain ${options.chainId} (${options.hardfork})`);
}

/** Starts all nodes, or none. */
async function startNodes(nodes: readonly DevnetNode[]): Promise<void> {
  const results = await Promise.allSettled(nodes.map((node) => node.start()));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed === undefined) return;
  await Promise.all(nodes.map((node) => node.stop()));
  throw failed.reason;
}

async function genesisHash(node: DevnetNode): Promise<string> {
  const rpc = new NodeRpc(node.httpUrl, START_TIMEOUT_MS);
  try {
    return (await rpc.block(0)).hash;
  } finally {
    await rpc.close();
  }
}

function makeNodes(options: DevnetOptions, dataDir: string, genesisTimestamp: number): DevnetNode[] {
  const binary = findAnvil();
  const chain = { chainId: options.chainId, hardfork: options.hardfork, genesisTimestamp };
  return Array.from({ length: options.nodes }, (_, index) => {
    const name = `anvil-${index + 1}`;
    return new DevnetNode({
      name,
      binary,
      chain,
      port: options.basePort === 0 ? 0 : options.basePort + index,
      directory: join(dataDir, name),
      startTimeoutMs: START_TIMEOUT_MS,
      stopGraceMs: STOP_GRACE_MS,
      autoRestart: options.autoRestart,
      restartDelayMs: options.restartDelayMs,
      report: options.report,
    });
  });
}

/** The log to go on with, checked against what the nodes start from, or a new one. */
async function logFor(found: BlockLog | null, path: string, nodes: readonly DevnetNode[], header: Omit<LogHeader, 'genesisHash'>): Promise<BlockLog> {
  const [first] = nodes;
  if (first === undefined) throw new RangeError('a devnet has one node or more');
  const hash = await genesisHash(first);
  if (found === null) return BlockLog.create(path, { ...header, genesisHash: hash });
  if (found.header.genesisHash === hash) return found;
  throw new Error(`${path} begins with another block 0 than this anvil makes; remove the file to start a new chain`);
}

/**
 * Starts local nodes on one chain and the sequencer that feeds them. The nodes' accounts are those of anvil's well-known
 * test mnemonic: for development only.
 * @throws Error naming the cause: no binary for this platform, a port that is taken, a data directory in use or damaged
 */
export async function startDevnet(chosen: Partial<DevnetOptions> = {}): Promise<Devnet> {
  const options: DevnetOptions = { ...DEVNET_DEFAULTS, ...chosen };
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tidegate-devnet-'));
  mkdirSync(dataDir, { recursive: true });
  const undo: (() => unknown)[] = [];
  // In reverse order, each once.
  const undoAll = async (): Promise<void> => {
    for (let step = undo.pop(); step !== undefined; step = undo.pop()) await step();
  };
  let closing: Promise<void> | null = null;
  try {
    if (options.dataDir === null) undo.push(() => rmSync(dataDir, { recursive: true, force: true }));
    const lock: Lock = lockFile(join(dataDir, 'lock'));
    undo.push(() => lock.release());
    const path = join(dataDir, 'chain.log');
    const found = openLog(path, options);
    if (found !== null) undo.push(() => found.close());
    const genesisTimestamp = found?.header.genesisTimestamp ?? Math.floor(Date.now() / 1000);
    const nodes = makeNodes(options, dataDir, genesisTimestamp);
    await startNodes(nodes);
    undo.push(() => Promise.all(nodes.map((node) => node.stop())));
    const log = await logFor(found, path, nodes, { format: 1, chainId: options.chainId, hardfork: options.hardfork, genesisTimestamp });
    if (found === null) undo.push(() => log.close());
    const sequencer = new Sequencer(nodes, log, { blockTimeMs: options.blockTimeMs, report: options.report, limits: LIMITS });
    undo.push(() => sequencer.close());
    for (const [index, node] of nodes.entries()) {
      node.listen({ onUp: () => sequencer.nodeUp(index), onDown: () => sequencer.nodeDown(index) });
    }
    sequencer.start();
    const close = (): Promise<void> => {
      closing ??= undoAll();
      return closing;
    };
    return { nodes, sequencer, chainId: options.chainId, dataDir, close };
  } catch (error) {
    await undoAll();
    throw error;
  }
}
