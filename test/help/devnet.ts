import { type Devnet, type DevnetOptions, startDevnet } from '../../src/devnet/devnet.ts';
import { rpc } from './client.ts';

/** One event that a devnet reported. */
export interface Reported {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A devnet for a test. */
export interface TestDevnet extends Devnet {
  /** What it reported, in order. */
  readonly reports: readonly Reported[];
  /** URL of node `index`. */
  url(index: number): string;
  /** Makes `count` blocks, one after the other. */
  mine(count: number): Promise<void>;
  /** Resolves when the nodes given (all, by default) are at the newest block. */
  settled(indexes?: readonly number[]): Promise<void>;
  /** Resolves at the first report whose message contains `text`, past ones included. */
  reported(text: string): Promise<Reported>;
}

/** Hashes of blocks 0 to `tip` as the node at `url` gives them. */
export async function hashesOf(url: string, tip: number): Promise<string[]> {
  const numbers = Array.from({ length: tip + 1 }, (_, number) => `0x${number.toString(16)}`);
  const blocks = await Promise.all(numbers.map((number) => rpc<{ hash: string }>(url, 'eth_getBlockByNumber', [number, false])));
  return blocks.map(({ hash }) => hash);
}

/** Starts a devnet of three nodes on free ports that makes blocks only when told; `options` changes that. Close it. */
export async function testDevnet(options: Partial<DevnetOptions> = {}): Promise<TestDevnet> {
  const reports: Reported[] = [];
  const waiters = new Set<() => void>();
  const devnet = await startDevnet({
    nodes: 3,
    blockTimeMs: 0,
    ...options,
    report: (level, message, fields) => {
      reports.push({ level, message, fields });
      for (const waiter of waiters) waiter();
    },
  });
  const { nodes, sequencer } = devnet;
  const all = nodes.map((_, index) => index);
  const settled = async (indexes: readonly number[] = all): Promise<void> => {
    await Promise.all(indexes.map((index) => sequencer.reached(index, sequencer.tip)));
  };
  await settled();
  return {
    ...devnet,
    reports,
    settled,
    url: (index) => nodes[index]?.httpUrl ?? '',
    mine: async (count) => {
      for (let made = 0; made < count; made++) await sequencer.blockNow();
    },
    reported: (text) =>
      new Promise((resolve) => {
        const look = (): void => {
          const found = reports.find(({ message }) => message.includes(text));
          if (found === undefined) return;
          waiters.delete(look);
          resolve(found);
        };
        waiters.add(look);
        look();
      }),
  };
}
