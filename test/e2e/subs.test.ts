import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rpc } from '../help/client.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { Lockstep, word } from '../help/lockstep.ts';
import { Libraries } from '../help/subsLibraries.ts';
import { SubsClient, wish } from '../help/subsClients.ts';
import type { CountedBlock, ToldLog } from '../help/subsStream.ts';

/** TIDEGATE_SUBS_FULL=1: a thousand clients, a hundred filters, a block each second, all faults as often as it takes to trust it. */
const FULL = process.env['TIDEGATE_SUBS_FULL'] === '1';
const SIZE = FULL
  ? { clients: 1_000, filters: 100, kills: 10, stops: 5, cuts: 5, calm: 3, transactions: 20, blockMs: 1_000, timeoutMs: 600_000 }
  : { clients: 60, filters: 24, kills: 3, stops: 1, cuts: 2, calm: 1, transactions: 4, blockMs: 0, timeoutMs: 110_000 };

let chain: Lockstep;
let gateway: TestGateway;
let clients: SubsClient[] = [];
let faults: string[] = [];
/** Of the full run: they are slow to load, and `subsClients` has them in each run. */
let libraries: Libraries | null = null;

beforeEach(async () => {
  chain = await Lockstep.start(3);
});
afterEach(async () => {
  for (const client of clients) client.close();
  clients = [];
  await libraries?.close();
  libraries = null;
  await gateway.close();
  await chain.close();
});

const topics = SIZE.filters;

/** Resolves when every client was told of this head, or of a higher one. */
async function toldOf(number: number): Promise<void> {
  const heads = clients.flatMap(({ streams }) => streams).filter(({ topic }) => topic.kind === 'newHeads');
  await new Promise<void>((resolve, reject) => {
    const look = (): void => {
      const gone = clients.find(({ closed }) => closed !== null);
      if (gone !== undefined) reject(new Error(`a client was closed: ${gone.closed?.code} ${gone.closed?.reason}`));
      else if (heads.every(({ top }) => top >= number)) resolve();
    };
    for (const client of clients) client.onNews = look;
    look();
  });
}

/** Resolves when the nodes have made all blocks, which takes one that began anew its time, and all are in service. */
async function allServe(): Promise<void> {
  await chain.settled();
  await gateway.until((upstreams) => serve(upstreams));
}

/** Blocks that all clients see at once, one after the other. */
async function grow(blocks: number): Promise<void> {
  for (let i = 0; i < blocks; i++) {
    await Promise.all([chain.block(SIZE.transactions, topics), new Promise((resolve) => setTimeout(resolve, SIZE.blockMs))]);
    await toldOf(chain.tip);
  }
}

async function join(): Promise<void> {
  faults = [];
  const since = chain.tip;
  const url = gateway.url.replace('http', 'ws');
  for (let i = 0; i < SIZE.clients; i++) clients.push(await SubsClient.open(url, faults));
  await Promise.all(clients.map((client) => client.subscribe(wish('newHeads'), since)));
  // each filter is another topic; some clients have several
  const filters = Array.from({ length: SIZE.filters }, (_, i) => wish('logs', i % 3 === 0 ? { topics: [word(i)] } : i % 3 === 1 ? { address: chain.emitter, topics: [null, [word(i), word(i + 1)]] } : { address: [chain.emitter], topics: [[word(i), word((i + 5) % topics)]] }));
  await Promise.all(filters.map((filter, i) => (clients[i % clients.length] as SubsClient).subscribe(filter, since)));
  await Promise.all(clients.slice(0, 5).map((client) => client.subscribe(wish('logs', {}), since)));
}

/** Compares what every client was told with the chain as a node has it. */
async function conclude(): Promise<void> {
  await chain.settled();
  await toldOf(chain.tip);
  const url = chain.nodes[0]?.url ?? '';
  const canonical = new Map<number, CountedBlock>();
  for (let number = 0; number <= chain.tip; number++) {
    const tag = `0x${number.toString(16)}`;
    const { hash } = await rpc<{ hash: string }>(url, 'eth_getBlockByNumber', [tag, false]);
    for (const node of chain.nodes) expect((await rpc<{ hash: string }>(node.url, 'eth_getBlockByNumber', [tag, false])).hash).toBe(hash);
    canonical.set(number, { hash, logs: await rpc<ToldLog[]>(url, 'eth_getLogs', [{ fromBlock: tag, toBlock: tag }]) });
  }
  // heads go ahead of logs, and each client reads in its own time
  const all = clients.flatMap(({ streams }) => streams);
  const counts = all.map((stream) => stream.wanted(canonical, chain.tip).length);
  expect(Math.max(...counts)).toBeGreaterThan(0);
  await new Promise<void>((resolve) => {
    // what has not come by then is lost, and named below
    const end = setTimeout(resolve, 20_000);
    const look = (): void => {
      if (!all.every(({ logs }, i) => logs >= (counts[i] ?? 0))) return;
      clearTimeout(end);
      resolve();
    };
    for (const client of clients) client.onNews = look;
    look();
  });
  for (const stream of all) stream.conclude(canonical, chain.tip);
  expect(faults).toEqual([]);
}

describe.each([
  { engine: 'uws', tipRace: false },
  { engine: 'node', tipRace: true },
] as const)('subscriptions through the engine $engine, tipRace $tipRace', ({ engine, tipRace }) => {
  it('every client gets every head and every log once and in order, whatever happens to the nodes', { timeout: SIZE.timeoutMs }, async () => {
    gateway = await testGateway(chain.nodes, { engine, chain: { subscriptions: { tipRace }, health: { ramp: { durationMs: 200 }, ejection: { baseMs: 1_000 }, probeIntervalMs: 250 } } });
    await gateway.until((upstreams) => serve(upstreams));
    await join();
    if (FULL) libraries = await Libraries.open(gateway.url.replace('http', 'ws'), word(2));
    do await grow(SIZE.calm);
    while (libraries?.began === false);
    const first = libraries?.first ?? 0;
    for (let depth = 1; depth <= 8; depth++) {
      await chain.reorg(depth, SIZE.transactions, topics);
      await toldOf(chain.tip);
      await grow(1);
    }
    for (let i = 0; i < SIZE.kills; i++) {
      const node = chain.nodes[i % 3] as (typeof chain.nodes)[number];
      await node.kill();
      await grow(2);
      await chain.revive(node);
      await grow(SIZE.calm);
      await allServe();
    }
    for (let i = 0; i < SIZE.stops; i++) {
      const node = chain.nodes[(i + 1) % 3] as (typeof chain.nodes)[number];
      node.signal('SIGSTOP');
      await grow(2);
      node.signal('SIGCONT');
      await grow(SIZE.calm);
      await allServe();
    }
    for (let i = 0; i < SIZE.cuts; i++) {
      for (const { wire } of chain.nodes) wire.cut();
      for (let made = 0; made < 5; made++) await chain.block(SIZE.transactions, topics);
      await chain.settled();
      for (const { wire } of chain.nodes) wire.mend();
      await toldOf(chain.tip);
      await allServe();
      await grow(SIZE.calm);
    }
    await conclude();
    await libraries?.conclude(chain.nodes[0]?.url ?? '', first, chain.tip);
    if (FULL) console.info(`${engine}: ${chain.tip} blocks, ${clients.flatMap(({ streams }) => streams).reduce((sum, { seen }) => sum + seen, 0)} notices`);
  });
});
