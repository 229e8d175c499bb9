import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { findAnvil } from '../../src/devnet/binary.ts';
import { rpc } from './client.ts';
import type { Fronted } from './gateway.ts';

const GENESIS_S = 1_700_000_000;
const BLOCK_S = 12;

interface Twin extends Fronted {
  readonly process: ChildProcess;
}

/** Real nodes that are told the same, so that their blocks have the same hashes; each is told in its own time. */
export class Twins {
  readonly nodes: readonly Twin[];

  private constructor(nodes: readonly Twin[]) {
    this.nodes = nodes;
  }

  /** Starts `count` nodes whose blocks are final after 64. */
  static async start(count: number): Promise<Twins> {
    const twins = new Twins(await Promise.all(Array.from({ length: count }, (_, index) => startOne(index))));
    // else the time that passes between two commands is in the blocks that the second makes
    await twins.each((url) => rpc(url, 'anvil_setBlockTimestampInterval', [BLOCK_S]));
    return twins;
  }

  /** Makes blocks at every node, one after the other, the nodes `apartMs` apart. */
  async mine(count: number, apartMs = 0): Promise<void> {
    for (let i = 0; i < count; i++) await this.each((url) => rpc(url, 'evm_mine'), apartMs);
  }

  /** Replaces the newest `depth` blocks at every node, the nodes `apartMs` apart. */
  async reorg(depth: number, apartMs = 0): Promise<void> {
    await this.each((url) => rpc(url, 'anvil_reorg', [depth, []]), apartMs);
  }

  async each(tell: (url: string) => Promise<unknown>, apartMs = 0): Promise<void> {
    for (const { httpUrl } of this.nodes) {
      await tell(httpUrl);
      if (apartMs > 0) await new Promise((resolve) => setTimeout(resolve, apartMs));
    }
  }

  /** Hashes of the blocks from `from` up, as each node has them. @throws Error when they differ */
  async hashes(from: number): Promise<Map<number, string>> {
    const all = await Promise.all(this.nodes.map(({ httpUrl }) => hashesFrom(httpUrl, from)));
    const [first] = all;
    if (first === undefined || all.some((other) => JSON.stringify([...other]) !== JSON.stringify([...first]))) throw new Error('the nodes differ');
    return first;
  }

  async close(): Promise<void> {
    await Promise.all(
      this.nodes.map(async ({ process }) => {
        if (process.exitCode !== null) return;
        process.kill('SIGKILL');
        await once(process, 'exit');
      }),
    );
  }
}

async function startOne(index: number): Promise<Twin> {
  const args = ['--host', '127.0.0.1', '--port', '0', '--chain-id', '31337', '--timestamp', String(GENESIS_S), '--hardfork', 'prague', '--no-mining', '--order', 'fifo'];
  const process = spawn(findAnvil(), args, { stdio: ['ignore', 'pipe', 'ignore'] });
  for await (const line of createInterface({ input: process.stdout })) {
    const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
    if (port === undefined) continue;
    process.stdout.resume();
    return { name: `n${index}`, httpUrl: `http://127.0.0.1:${port}/`, wsUrl: `ws://127.0.0.1:${port}/`, process };
  }
  throw new Error('anvil ended before it listened');
}

async function hashesFrom(url: string, from: number): Promise<Map<number, string>> {
  const top = Number(await rpc<string>(url, 'eth_blockNumber'));
  const hashes = new Map<number, string>();
  for (let number = from; number <= top; number++) {
    hashes.set(number, (await rpc<{ hash: string }>(url, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])).hash);
  }
  return hashes;
}
