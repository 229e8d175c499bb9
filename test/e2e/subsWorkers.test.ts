import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { rpc } from '../help/client.ts';
import { Lockstep, word } from '../help/lockstep.ts';
import { SubsClient, wish } from '../help/subsClients.ts';
import type { CountedBlock, ToldLog } from '../help/subsStream.ts';
import { workerGateway } from '../help/workers.ts';
import type { WorkerGateway } from '../help/workers.ts';

const TOPICS = 5;
const CLIENTS = 24;

let chain: Lockstep;
let gateway: WorkerGateway;
beforeAll(async () => {
  chain = await Lockstep.start(3);
});
afterEach(() => gateway.close());
afterAll(() => chain.close());

it('clients of two worker processes are told of the same chain, over the death of a node and reorgs; another worker asks for its topics anew', async () => {
  const upstreams = chain.nodes.map(({ name, httpUrl, wsUrl }) => ({ name, http: httpUrl, ws: wsUrl }));
  gateway = await workerGateway(JSON.stringify({ server: { port: 0, workers: 2 }, admin: { port: 0, tokenFile: '{token}' }, chains: [{ name: 'test', upstreams }] }));
  await gateway.untilServing(2);
  const faults: string[] = [];
  const url = gateway.url.replace('http', 'ws');
  let clients: SubsClient[] = [];
  const toldOf = (number: number): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (clients.every(({ streams }) => streams.every(({ topic, top }) => topic.kind !== 'newHeads' || top >= number))) resolve();
      };
      for (const client of clients) client.onNews = look;
      look();
    });
  const join = async (): Promise<void> => {
    const since = chain.tip;
    clients = await Promise.all(Array.from({ length: CLIENTS }, () => SubsClient.open(url, faults)));
    await Promise.all(clients.flatMap((client, i) => [client.subscribe(wish('newHeads'), since), client.subscribe(wish('logs', { topics: [word(i % TOPICS)] }), since)]));
    await Promise.all(clients.map((client) => client.subscribe(wish('logs', {}), since)));
  };
  const live = async (): Promise<void> => {
    for (let depth = 1; depth <= 3; depth++) {
      await chain.block(3, TOPICS);
      await toldOf(chain.tip);
      await chain.reorg(depth, 3, TOPICS);
      await toldOf(chain.tip);
    }
    const node = chain.nodes[0] as (typeof chain.nodes)[number];
    await node.kill();
    for (let i = 0; i < 3; i++) await chain.block(3, TOPICS);
    await toldOf(chain.tip);
    await chain.revive(node);
    await chain.settled();
  };
  const conclude = async (): Promise<void> => {
    const canonical = new Map<number, CountedBlock>();
    for (let number = 0; number <= chain.tip; number++) {
      const tag = `0x${number.toString(16)}`;
      const { hash } = await rpc<{ hash: string }>(chain.nodes[1]?.url ?? '', 'eth_getBlockByNumber', [tag, false]);
      canonical.set(number, { hash, logs: await rpc<ToldLog[]>(chain.nodes[1]?.url ?? '', 'eth_getLogs', [{ fromBlock: tag, toBlock: tag }]) });
    }
    const all = clients.flatMap(({ streams }) => streams);
    const above = [...canonical].filter(([number]) => number > (all[0]?.since ?? 0)).reduce((sum, [, { logs }]) => sum + logs.length, 0);
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (all.every(({ topic, logs }) => topic.key !== wish('logs', {}).topic.key || logs >= above)) resolve();
      };
      for (const client of clients) client.onNews = look;
      look();
    });
    for (const stream of all) stream.conclude(canonical, chain.tip);
    expect(faults).toEqual([]);
  };

  await join();
  await live();
  await conclude();
  const before = await gateway.serving();
  for (const client of clients) client.close();
  // the place of a killed worker is taken, and what it had wanted is forgotten
  process.kill(before[0] as number, 'SIGKILL');
  while ((await gateway.serving()).includes(before[0] as number)) await new Promise((resolve) => setImmediate(resolve));
  await gateway.untilServing(2);
  await join();
  await live();
  await conclude();
  for (const client of clients) client.close();
  const series = await gateway.metrics();
  const sum = (name: string): number => [...series].filter(([key]) => key.startsWith(name)).reduce((total, [, value]) => total + value, 0);
  expect(sum('tidegate_notices_total')).toBeGreaterThan(CLIENTS * 10);
  expect(sum('tidegate_notice_losses_total')).toBe(0);
});
