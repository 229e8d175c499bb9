import { afterEach, expect, test } from 'vitest';
import type { TestGateway } from '../help/gateway.ts';
import { LogChain, hex, numbers, randomAsk } from '../help/logChain.ts';
import type { ChainLog, LogAsk } from '../help/logChain.ts';
import type { LogNode, LogNodeOptions } from '../help/logNode.ts';
import { WORDINGS } from '../help/logNode.ts';
import { logWorld, tell } from '../help/logWorld.ts';
import type { LogWorld, Told } from '../help/logWorld.ts';

const HEAD = 400;
let opened: LogWorld | null = null;

afterEach(async () => {
  await opened?.close();
  opened = null;
});

async function world(options: readonly LogNodeOptions[], chain = new LogChain(HEAD), logs: object = {}): Promise<LogWorld> {
  opened = await logWorld(chain, options, logs);
  return opened;
}

const ask = (gateway: TestGateway, params: LogAsk): Promise<Told> => tell(gateway.url, 'eth_getLogs', [params]);

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

test('while the chain is reorganised, every answer is of one branch', async () => {
  const { chain, gateway } = await world([{}, limited(50, 3), { lags: true }], new LogChain(120));
  const next = numbers(99);
  const versions: (typeof chain.blocks)[] = [[...chain.blocks]];
  let answers = 0;
  let refused = 0;
  const query = async (): Promise<void> => {
    while (answers < 300) {
      const params = { fromBlock: hex(90 + next(20)), ...(next(2) === 0 ? {} : { toBlock: 'latest' }) };
      const from = versions.length - 1;
      const told = await ask(gateway, params);
      answers++;
      if (told.error?.message.startsWith('no node has reached the head') === true) {
        refused++;
        continue;
      }
      const text = JSON.stringify(told.result);
      const isOne = versions.slice(Math.max(0, from - 40)).some((blocks) => JSON.stringify(chain.query(params, blocks)) === text);
      if (!isOne) throw new Error(`${JSON.stringify(params)} was answered by no branch: ${JSON.stringify(told.error ?? (told.result as ChainLog[]).map(({ blockHash }) => blockHash.slice(0, 4) + blockHash.slice(-3)))}`);
    }
  };
  let branch = 98;
  const onAsked = (): void => {
    if (next(60) !== 0) return;
    if (next(2) === 0) chain.grow(1, String.fromCharCode(branch));
    else chain.reorg(1 + next(4), String.fromCharCode(branch++));
    versions.push([...chain.blocks]);
    if (branch > 120) branch = 98;
  };
  for (const node of opened?.nodes ?? []) node.onAsked = onAsked;
  await Promise.all([query(), query(), query(), query()]);
  expect(versions.length).toBeGreaterThan(5);
  expect(refused).toBeLessThan(answers / 2);
}, 60_000);

test('tags are read as blocks of the trusted chain, also over the limits of nodes', async () => {
  const { chain, gateway, nodes } = await world([limited(50, 3)]);
  const [node] = nodes as [LogNode];
  const told = await ask(gateway, { fromBlock: 'earliest', toBlock: 'safe' });
  expect(told.result).toEqual(chain.query({ fromBlock: '0x0', toBlock: hex(node.finalized) }));
  expect((await ask(gateway, { fromBlock: 'finalized', toBlock: 'latest' })).result).toEqual(chain.query({ fromBlock: hex(node.finalized) }));
});

test('logs over logs.maxAnswerBytes are refused, never cut', async () => {
  const { gateway } = await world([{}], new LogChain(120, 2000), { maxAnswerBytes: '64KiB' });
  const told = await ask(gateway, { fromBlock: '0x0', toBlock: 'latest' });
  expect(told).toMatchObject({ error: { code: -32005, message: 'the logs asked for are too many for one answer: over 65536 bytes' } });
});

test.each([
  ['a member that is not known', '[{"fromBlock":"0x1","toBlock":"0x9","limit":2}]'],
  ['a known member in other letters', '[{"fromBlock":"0x1","toBlock":"0x9","TOBLOCK":"0x5"}]'],
  ['a member twice', '[{"fromBlock":"0x1","toBlock":"0x9","toBlock":"0x9"}]'],
  ['a second param', '[{"fromBlock":"0x1","toBlock":"0x9"},true]'],
  ['a member that is not known, by hash', `[{"blockHash":"0x${'1'.repeat(64)}","limit":2}]`],
])('%s goes to a node as it is, each time, whatever is stored', async (_what, params) => {
  const { chain, gateway, nodes } = await world([{}]);
  const [node] = nodes as [LogNode];
  for (let turn = 0; turn < 2; turn++) expect((await ask(gateway, { fromBlock: '0x1', toBlock: '0x9' })).result).toEqual(chain.query({ fromBlock: '0x1', toBlock: '0x9' }));
  const before = node.asked.length;
  const body = `{"jsonrpc":"2.0","id":7,"method":"eth_getLogs","params":${params}}`;
  for (let turn = 0; turn < 3; turn++) await (await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })).text();
  expect(node.asked.slice(before).map((each) => each.params)).toEqual([1, 2, 3].map(() => JSON.parse(params) as unknown));
});
