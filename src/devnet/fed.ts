import { setTimeout as wait } from 'node:timers/promises';
import { join } from 'node:path';
import type { FedNode } from './ledger.ts';
import { BlockLog } from './log.ts';
import type { Report } from './report.ts';
import { NodeRpc } from './rpc.ts';
import { Sequencer } from './sequencer.ts';

const ASK_EVERY_MS = 100;
const ASK_TIMEOUT_MS = 2000;
const LIMITS = { rpcTimeoutMs: 2000, idleMs: 1000, retryMs: 200 };

/** A chain over nodes that somebody else runs. */
export interface FedChainOptions {
  readonly chainId: number;
  readonly hardfork: string;
  /** Unix seconds of block 0; what the nodes were started with. */
  readonly genesisTimestamp: number;
  /** Between two blocks; 0 = only on `blockNow`. */
  readonly blockTimeMs: number;
  /** Holds the chain's log. */
  readonly dataDir: string;
  /** Bound on the wait for a first node. */
  readonly startTimeoutMs: number;
  readonly report: Report;
}

export interface FedChain {
  readonly sequencer: Sequencer;
  close(): Promise<void>;
}

/** What anvil must be started with so that several make the same blocks, from genesis on. */
export function fedAnvilArgs({ chainId, hardfork, genesisTimestamp }: Pick<FedChainOptions, 'chainId' | 'hardfork' | 'genesisTimestamp'>): string[] {
  // blocks are made on command only, of transactions in their order of arrival; safe = head - 1, finalized = head - 2
  return ['--chain-id', String(chainId), '--timestamp', String(genesisTimestamp), '--hardfork', hardfork, '--no-mining', '--order', 'fifo', '--slots-in-an-epoch', '1'];
}

/** Hash of block 0, of the first node that answers. @throws Error when none does in time */
async function genesisOf(nodes: readonly FedNode[], timeoutMs: number): Promise<string> {
  const deadline = performance.now() + timeoutMs;
  const rpcs = nodes.map(({ httpUrl }) => new NodeRpc(httpUrl, ASK_TIMEOUT_MS));
  try {
    for (;;) {
      const found = await Promise.any(rpcs.map((rpc) => rpc.block(0))).catch(() => null);
      if (found !== null) return found.hash;
      if (performance.now() > deadline) throw new Error(`none of ${nodes.length} nodes answered within ${timeoutMs} ms`);
      await wait(ASK_EVERY_MS);
    }
  } finally {
    await Promise.all(rpcs.map((rpc) => rpc.close()));
  }
}

/**
 * Makes one chain of anvils that are started, ended and started again by others: each is fed from wherever it is.
 * @throws Error when no node answers in time, or the log in `dataDir` cannot be made
 */
export async function startFedChain(nodes: readonly FedNode[], options: FedChainOptions): Promise<FedChain> {
  const { chainId, hardfork, genesisTimestamp, blockTimeMs, dataDir, report } = options;
  const genesisHash = await genesisOf(nodes, options.startTimeoutMs);
  const log = BlockLog.create(join(dataDir, 'chain.log'), { format: 1, chainId, hardfork, genesisTimestamp, genesisHash });
  const sequencer = new Sequencer(nodes, log, { blockTimeMs, report, limits: LIMITS });
  sequencer.start();
  return {
    sequencer,
    close: async () => {
      await sequencer.close();
      log.close();
    },
  };
}
