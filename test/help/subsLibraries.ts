import { WebSocketProvider } from 'ethers';
import { createPublicClient, parseAbiItem, webSocket } from 'viem';
import { foundry } from 'viem/chains';
import { expect } from 'vitest';
import { Web3 } from 'web3';
import { rpc } from './client.ts';

/** What a library told of, in its own order. */
class Told {
  readonly heads: number[] = [];
  /** Block and place of each; one that is removed goes. */
  readonly logs: string[] = [];
  readonly pending = new Set<string>();
  onNews: () => void = () => undefined;

  head(number: number): void {
    this.heads.push(number);
    this.onNews();
  }

  log(blockHash: string | null | undefined, index: number, removed: boolean): void {
    const key = `${String(blockHash)}:${index}`;
    if (removed) this.logs.splice(this.logs.indexOf(key), 1);
    else this.logs.push(key);
    this.onNews();
  }
}

/** Every log with the topic in the first place, in order. */
async function logsOnChain(nodeUrl: string, topic: string): Promise<string[]> {
  const logs = await rpc<{ blockHash: string; logIndex: string }[]>(nodeUrl, 'eth_getLogs', [{ fromBlock: '0x2', toBlock: 'latest', topics: [topic] }]);
  return logs.map(({ blockHash, logIndex }) => `${blockHash}:${Number(logIndex)}`);
}

const tail = (list: readonly string[]): string => list.slice(-10).join();

/** ethers, viem and web3.js as applications use them: blocks, logs with one topic, pending transactions. */
export class Libraries {
  readonly #ethers = new Told();
  readonly #viem = new Told();
  readonly #web3 = new Told();
  readonly #topic: string;
  readonly #closers: (() => unknown)[] = [];

  private constructor(topic: string) {
    this.#topic = topic;
  }

  /** @param url of the gateway's WebSocket @param topic the first one of the logs that are watched */
  static async open(url: string, topic: string): Promise<Libraries> {
    const libraries = new Libraries(topic);
    await libraries.#openEthers(url);
    await libraries.#openViem(url);
    await libraries.#openWeb3(url);
    return libraries;
  }

  get #all(): readonly Told[] {
    return [this.#ethers, this.#viem, this.#web3];
  }

  /** Each has told of a block: viem and ethers subscribe in their own time. */
  get began(): boolean {
    return this.#all.every(({ heads }) => heads.length > 0);
  }

  /** Resolves when this was the last head that each told of. */
  toldOf(number: number): Promise<void> {
    return this.#until(({ heads }) => heads.at(-1) === number);
  }

  /** Compares what each told with the chain as a node has it, once all of it has come. @param first height from which on all had begun */
  async conclude(nodeUrl: string, first: number, tip: number): Promise<void> {
    const wanted = await logsOnChain(nodeUrl, this.#topic);
    const onChain = new Set(wanted);
    const counted = (told: Told): string[] => told.logs.filter((log) => onChain.has(log));
    await this.#until((told) => tail(counted(told)) === tail(wanted));
    const expected = Array.from({ length: tip - first + 1 }, (_, i) => first + i);
    for (const told of this.#all) {
      // a reorg tells of a number again, but none is left out
      expect([...new Set(told.heads.filter((number) => number >= first))].sort((a, b) => a - b)).toEqual(expected);
      expect(new Set(told.logs).size).toBe(told.logs.length);
      expect(counted(told)).toEqual(wanted.slice(-counted(told).length));
      // ethers keeps what was removed from those who listen to a filter
      if (told !== this.#ethers) expect(told.logs).toEqual(counted(told));
      expect(told.pending.size).toBeGreaterThan(0);
    }
  }

  /** Height of the block from which on each has told of all. */
  get first(): number {
    return Math.max(...this.#all.map(({ heads }) => heads[0] ?? 0));
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }

  #until(holds: (told: Told) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#all.every(holds)) resolve();
      };
      for (const told of this.#all) told.onNews = look;
      look();
    });
  }

  async #openEthers(url: string): Promise<void> {
    const told = this.#ethers;
    const ethers = new WebSocketProvider(url);
    this.#closers.push(() => ethers.destroy());
    await ethers.on('block', (number: number) => told.head(number));
    await ethers.on({ topics: [this.#topic] }, (log: { blockHash: string; index: number; removed: boolean }) => told.log(log.blockHash, log.index, log.removed));
    await ethers.on('pending', (hash: string) => told.pending.add(hash));
  }

  async #openViem(url: string): Promise<void> {
    const told = this.#viem;
    const viem = createPublicClient({ chain: foundry, transport: webSocket(url, { reconnect: false }) });
    const stops = [
      viem.watchBlocks({ onBlock: ({ number }) => told.head(Number(number)) }),
      viem.watchEvent({ onLogs: (logs) => { for (const log of logs) if (log.topics[0] === this.#topic) told.log(log.blockHash, log.logIndex ?? -1, log.removed); } }),
      viem.watchPendingTransactions({ onTransactions: (hashes) => { for (const hash of hashes) told.pending.add(hash); } }),
      viem.watchEvent({ event: parseAbiItem('event Nothing(uint256 indexed value)'), onLogs: () => expect.unreachable('nobody emits this') }),
    ];
    this.#closers.push(async () => {
      for (const stop of stops) stop();
      (await viem.transport.getRpcClient()).close();
    });
  }

  async #openWeb3(url: string): Promise<void> {
    const told = this.#web3;
    const web3 = new Web3(url);
    const heads = await web3.eth.subscribe('newBlockHeaders');
    heads.on('data', ({ number }) => told.head(Number(number)));
    const logs = await web3.eth.subscribe('logs', { topics: [this.#topic] });
    logs.on('data', (log) => told.log(log.blockHash, Number(log.logIndex), (log as { removed?: boolean }).removed === true));
    const pending = await web3.eth.subscribe('pendingTransactions');
    pending.on('data', (hash) => void told.pending.add(String(hash)));
    this.#closers.push(async () => {
      await Promise.all([heads.unsubscribe(), logs.unsubscribe(), pending.unsubscribe()]);
      web3.provider?.disconnect();
    });
  }
}
