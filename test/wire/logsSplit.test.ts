import { afterEach, expect, test } from 'vitest';
import { ADDRESSES, LogChain, TOPICS, hex, numbers } from '../help/logChain.ts';
import type { ChainLog, LogAsk } from '../help/logChain.ts';
import type { LogNodeOptions } from '../help/logNode.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld } from '../help/logWorld.ts';

const HEAD = 200;
const FINAL = HEAD - 16;
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(options: readonly LogNodeOptions[], logs: object = {}): Promise<LogWorld> {
  opened = await logWorld(new LogChain(HEAD), options, logs);
  return opened;
}

const next = numbers(99);
const some = (list: readonly string[]): string[] => Array.from({ length: 1 + next(4) }, () => list[next(list.length)] as string);

/** A query of final blocks for several addresses, or several topics, or both. */
function ask(): LogAsk {
  const from = next(FINAL);
  const topics = [undefined, [some(TOPICS)], [null, some(TOPICS)], [some(TOPICS), some(TOPICS)]][next(4)];
  const address = next(3) === 0 ? undefined : some(ADDRESSES);
  return { fromBlock: hex(from), toBlock: hex(Math.min(FINAL, from + next(40))), ...(address === undefined ? {} : { address }), ...(topics === undefined ? {} : { topics }) };
}

/** Whether no single address and choice of topics matches more than so many logs of one block. */
function canBeCut(wanted: readonly ChainLog[], { address, topics = [] }: LogAsk, maxLogs: number): boolean {
  const counts = new Map<string, number>();
  for (const log of wanted) {
    const chosen = topics.map((any, place) => (any === null ? '*' : log.topics[place]));
    const key = [log.blockNumber, address === undefined ? '*' : log.address, ...chosen].join();
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return [...counts.values()].every((count) => count <= maxLogs);
}

test('what matches too much in a single block is cut by addresses, then by topics, and is whole; or refused, never cut short', async () => {
  const { chain, gateway, nodes } = await world([{ maxLogs: 1 }, { maxLogs: 1 }], { cache: { maxBytes: 0 } });
  let refused = 0;
  for (let i = 0; i < 60; i++) {
    const params = ask();
    const wanted = chain.query(params);
    const { result, error } = await tell(gateway.url, 'eth_getLogs', [params]);
    if (canBeCut(wanted, params, 1)) expect({ params, result }).toEqual({ params, result: wanted });
    else {
      refused++;
      expect({ params, result, error }).toMatchObject({ params, error: { code: -32005 } });
    }
  }
  expect(refused).toBeGreaterThan(2);
  expect(refused).toBeLessThan(50);
  expect(nodes.some(({ asked }) => asked.some(({ params }) => (params[0] as LogAsk).fromBlock === (params[0] as LogAsk).toBlock))).toBe(true);
}, 60_000);

test('a node that takes one address and one topic at a time is asked for them one by one', async () => {
  const { chain, gateway, nodes } = await world([{ maxItems: 1 }], { cache: { maxBytes: 0 } });
  for (let i = 0; i < 40; i++) {
    const params = ask();
    expect({ params, ...(await tell(gateway.url, 'eth_getLogs', [params])) }).toMatchObject({ params, result: chain.query(params) });
  }
  const taken = nodes[0]?.asked.filter(({ method }) => method === 'eth_getLogs').length ?? 0;
  expect(taken).toBeGreaterThan(nodes[0]?.refused ?? 0);
}, 60_000);

test('what one node refuses another that takes more is asked for, and first the next time', async () => {
  const { chain, gateway, nodes } = await world([{ maxLogs: 3 }, {}]);
  const [small, large] = nodes as [(typeof nodes)[0] & object, (typeof nodes)[0] & object];
  for (let turn = 0; turn < 20; turn++) {
    const params = { fromBlock: hex(turn), toBlock: hex(FINAL - turn), address: ADDRESSES[turn % ADDRESSES.length] as string, topics: [[TOPICS[turn % TOPICS.length] as string, TOPICS[0] as string]] };
    expect((await tell(gateway.url, 'eth_getLogs', [params])).result).toEqual(chain.query(params));
  }
  expect(small.refused).toBeLessThan(5);
  expect(large.pieces).toBeGreaterThan(10);
});
