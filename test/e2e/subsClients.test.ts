import { WebSocketProvider } from 'ethers';
import { createPublicClient, parseAbiItem, webSocket } from 'viem';
import { foundry } from 'viem/chains';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Web3 } from 'web3';
import { rpc } from '../help/client.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { Lockstep, word } from '../help/lockstep.ts';

const TOPICS = 6;
const WANTED = word(2);

let chain: Lockstep;
let gateway: TestGateway;
beforeAll(async () => {
  chain = await Lockstep.start(3);
  gateway = await testGateway(chain.nodes, { chain: { health: { ramp: { durationMs: 200 }, ejection: { baseMs: 1_000 }, probeIntervalMs: 250 } } });
  await gateway.until((upstreams) => serve(upstreams));
});
afterAll(async () => {
  await gateway.close();
  await chain.close();
});

/** What a library told of, in its own order. */
class Told {
  readonly heads: number[] = [];
  /** Place in the block and in the chain; removed ones with a minus before. */
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
async function logsOnChain(): Promise<string[]> {
  const logs = await rpc<{ blockHash: string; logIndex: string }[]>(chain.nodes[0]?.url ?? '', 'eth_getLogs', [{ fromBlock: '0x2', toBlock: 'latest', topics: [WANTED] }]);
  return logs.map(({ blockHash, logIndex }) => `${blockHash}:${Number(logIndex)}`);
}

it('ethers, viem and web3.js run unchanged while nodes die and the chain is reorganised', { timeout: 110_000 }, async () => {
  const url = gateway.url.replace('http', 'ws');
  const [byEthers, byViem, byWeb3] = [new Told(), new Told(), new Told()];

  const ethers = new WebSocketProvider(url);
  await ethers.on('block', (number: number) => byEthers.head(number));
  await ethers.on({ topics: [WANTED] }, (log: { blockHash: string; index: number; removed: boolean }) => byEthers.log(log.blockHash, log.index, log.removed));
  await ethers.on('pending', (hash: string) => byEthers.pending.add(hash));

  const viem = createPublicClient({ chain: foundry, transport: webSocket(url, { reconnect: false }) });
  const stops = [
    viem.watchBlocks({ onBlock: ({ number }) => byViem.head(Number(number)) }),
    viem.watchEvent({ onLogs: (logs) => { for (const log of logs) if (log.topics[0] === WANTED) byViem.log(log.blockHash, log.logIndex ?? -1, log.removed); } }),
    viem.watchPendingTransactions({ onTransactions: (hashes) => { for (const hash of hashes) byViem.pending.add(hash); } }),
    viem.watchEvent({ event: parseAbiItem('event Nothing(uint256 indexed value)'), onLogs: () => expect.unreachable('nobody emits this') }),
  ];

  const web3 = new Web3(url);
  const heads = await web3.eth.subscribe('newBlockHeaders');
  heads.on('data', ({ number }) => byWeb3.head(Number(number)));
  const logs = await web3.eth.subscribe('logs', { topics: [WANTED] });
  logs.on('data', (log) => byWeb3.log(log.blockHash, Number(log.logIndex), (log as { removed?: boolean }).removed === true));
  const pending = await web3.eth.subscribe('pendingTransactions');
  pending.on('data', (hash) => void byWeb3.pending.add(String(hash)));

  const all = [byEthers, byViem, byWeb3];
  const until = (holds: (told: Told) => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (all.every(holds)) resolve();
      };
      for (const told of all) told.onNews = look;
      look();
    });
  const grow = async (): Promise<void> => {
    await chain.block(3, TOPICS);
    await until(({ heads: told }) => told.at(-1) === chain.tip);
  };
  // viem and ethers subscribe in their own time: they are there when they have told of a block
  while (all.some(({ heads: told }) => told.length === 0)) {
    await chain.block(3, TOPICS);
    await chain.settled();
  }
  await until(({ heads: told }) => told.at(-1) === chain.tip);
  const first = Math.max(...all.map(({ heads: told }) => told[0] ?? 0));

  for (const node of chain.nodes) {
    await grow();
    await node.kill();
    await grow();
    await chain.reorg(2, 3, TOPICS);
    await until(({ heads: told }) => told.at(-1) === chain.tip);
    await chain.revive(node);
    await grow();
    await gateway.until((upstreams) => serve(upstreams));
  }
  const wanted = await logsOnChain();
  const counted = (told: Told): string[] => told.logs.filter((log) => wanted.includes(log));
  const tail = (list: readonly string[]): string => list.slice(-10).join();
  await until((told) => tail(counted(told)) === tail(wanted));
  const expected = Array.from({ length: chain.tip - first + 1 }, (_, i) => first + i);
  for (const told of all) {
    // a reorg tells of a number again, but none is left out
    expect([...new Set(told.heads.filter((number) => number >= first))].sort((a, b) => a - b)).toEqual(expected);
    expect(new Set(told.logs).size).toBe(told.logs.length);
    expect(counted(told)).toEqual(wanted.slice(-counted(told).length));
    // ethers keeps what was removed from those who listen to a filter
    if (told !== byEthers) expect(told.logs).toEqual(counted(told));
    expect(told.pending.size).toBeGreaterThan(0);
  }

  for (const stop of stops) stop();
  await Promise.all([heads.unsubscribe(), logs.unsubscribe(), pending.unsubscribe()]);
  web3.provider?.disconnect();
  await ethers.destroy();
  (await viem.transport.getRpcClient()).close();
});
