import { afterEach, expect, test } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { LogChain, hex, numbers, randomAsk } from '../help/logChain.ts';
import type { LogAsk } from '../help/logChain.ts';
import { LogNode, WORDINGS } from '../help/logNode.ts';
import type { LogNodeOptions } from '../help/logNode.ts';

const HEAD = 400;
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface World {
  readonly chain: LogChain;
  readonly nodes: readonly LogNode[];
  readonly gateway: TestGateway;
}

async function world(options: readonly LogNodeOptions[], chain = new LogChain(HEAD), logs: object = {}): Promise<World> {
  const nodes = await Promise.all(options.map((each) => LogNode.start(chain, each)));
  for (const node of nodes) closers.push(() => node.close());
  const health = { probeIntervalMs: 50 };
  const gateway = await testGateway(nodes.map(({ httpUrl }, i) => ({ name: `n${i}`, httpUrl })), { chain: { health, logs } });
  closers.push(() => gateway.close());
  await gateway.until((upstreams) => Object.values(upstreams).every(({ headNumber }) => headNumber === chain.head.number));
  return { chain, nodes, gateway };
}

interface Told {
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

async function ask(gateway: TestGateway, params: LogAsk): Promise<Told> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'eth_getLogs', params: [params] });
  return (await (await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).json()) as Told;
}

const limited = (limit: number, at: number): LogNodeOptions => ({ limit, wording: WORDINGS[at] as NonNullable<LogNodeOptions['wording']> });

test('5,000 random queries over nodes with limits, worded in five ways, are answered as by one without', async () => {
  const { chain, gateway, nodes } = await world([limited(10, 0), limited(10, 1), limited(50, 2), limited(50, 3), { ...limited(100, 4), lags: true }]);
  const next = numbers(20_251);
  const asks = Array.from({ length: 5000 }, () => randomAsk(next, chain));
  let wrong = 0;
  const worker = async (): Promise<void> => {
    for (let params = asks.pop(); params !== undefined; params = asks.pop()) {
      const told = await ask(gateway, params);
      const wanted = chain.query(params);
      if (JSON.stringify(told.result) === JSON.stringify(wanted)) continue;
      wrong++;
      if (told.error !== undefined) throw new Error(JSON.stringify([params, told.error]));
      expect({ params, ...told }).toEqual({ params, result: wanted });
    }
  };
  await Promise.all(Array.from({ length: 24 }, worker));
  expect(wrong).toBe(0);
  expect(nodes.every(({ refused }) => refused < 60)).toBe(true);
}, 120_000);

test('a range that ends above the head, or before it begins, is refused as the specification says', async () => {
  const { gateway } = await world([{}]);
  expect(await ask(gateway, { fromBlock: hex(HEAD - 1), toBlock: hex(HEAD + 1) })).toMatchObject({ error: { code: -32602, message: 'block range extends beyond current head block' } });
  expect(await ask(gateway, { fromBlock: hex(HEAD + 1), toBlock: 'latest' })).toMatchObject({ error: { code: -32602, message: 'invalid block range params' } });
  expect(await ask(gateway, { fromBlock: '0x5', toBlock: '0x4' })).toMatchObject({ error: { code: -32602, message: 'invalid block range params' } });
  expect(await ask(gateway, { address: '0x12' })).toMatchObject({ error: { code: -32602, message: 'invalid params: params[0].address is not a 20-byte address' } });
});

test('an overlapping query asks only for the blocks that no other brought', async () => {
  const { chain, gateway, nodes } = await world([{}]);
  const [node] = nodes as [LogNode];
  await ask(gateway, { fromBlock: hex(10), toBlock: hex(99) });
  await ask(gateway, { fromBlock: hex(50), toBlock: hex(149) });
  const ranges = node.asked.map(({ params }) => params[0] as LogAsk);
  expect(ranges).toEqual([{ fromBlock: hex(10), toBlock: hex(99) }, { fromBlock: hex(100), toBlock: hex(149) }]);
  // one that wants less is served of them too
  const narrow = { fromBlock: hex(20), toBlock: hex(140), address: chain.query({ fromBlock: '0x14', toBlock: '0x8c' })[0]?.address ?? '' };
  expect((await ask(gateway, narrow)).result).toEqual(chain.query(narrow));
  expect(node.asked).toHaveLength(2);
});

test('a node that lacks the logs of the newest block is never believed, also where it is the only one', async () => {
  const { chain, gateway } = await world([{ lags: true }]);
  while (chain.head.logs.length === 0) chain.grow(1);
  const { number } = chain.head;
  await gateway.until((_, { head }) => head?.number === number);
  const told = await ask(gateway, { fromBlock: hex(number - 3), toBlock: hex(number) });
  expect(told.result).toEqual(chain.query({ fromBlock: hex(number - 3) }));
});
