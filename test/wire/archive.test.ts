import { afterEach, expect, test, vi } from 'vitest';
import { tell } from '../help/cacheCalls.ts';
import { balanceAt, ChainNode } from '../help/chainNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const A = '0x00000000000000000000000000000000000000aa';
const HEAD = 1000;
const hex = (number: number): string => `0x${number.toString(16)}`;

let nodes: ChainNode[] = [];
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await Promise.all(nodes.map((node) => node.close()));
  gateway = null;
});

/** Nodes at block 1000, each with these capabilities. */
async function start(...capabilities: readonly object[]): Promise<TestGateway> {
  nodes = await Promise.all(capabilities.map(() => ChainNode.start(HEAD)));
  const fronted = nodes.map(({ httpUrl }, index) => ({ name: `n${index}`, httpUrl, options: { capabilities: capabilities[index] } }));
  const opened = await testGateway(fronted, { chain: { chainId: 1, blockTimeMs: 60_000, cache: {}, health: { probeIntervalMs: 100 } } });
  gateway = opened;
  await opened.until((upstreams, { head }) => serve(upstreams) && head?.number === HEAD);
  return opened;
}

const balances = (number: number) => (nodes[number] as ChainNode).paramsOf('eth_getBalance').length;

test('a node that is no archive by its config gets no state call below its newest blocks, and all else', async () => {
  const { url, adminUrl } = await start({ archive: false }, {});
  const blocks = new Set<string>();
  for (let number = 0; number < 20; number++) {
    expect((await tell(url, 'eth_getBalance', [A, hex(number)])).body.result).toBe(balanceAt(number));
    blocks.add((await tell(url, 'eth_getBlockByNumber', [hex(number), false])).upstream);
  }
  await tell(url, 'eth_getBalance', [A, hex(HEAD - 128)]);
  expect(balances(0)).toBe(0);
  expect([...blocks].sort()).toEqual(['n0', 'n1']);
  for (let number = HEAD - 127; number <= HEAD; number++) await tell(url, 'eth_getBalance', [A, hex(number)]);
  expect(balances(0)).toBeGreaterThan(0);
  const asked = `${adminUrl}/api/v1/explain?method=eth_getBalance&params=${encodeURIComponent(JSON.stringify([A, '0x5']))}`;
  const { candidates, excluded } = (await (await fetch(asked)).json()) as { candidates: { name: string }[]; excluded: { name: string; reasons: unknown }[] };
  expect(candidates.map(({ name }) => name)).toEqual(['n1']);
  expect(excluded).toMatchObject([{ name: 'n0', reasons: [{ reason: 'archive', words: 'it is no archive by its config: it has states from block 873 on, the call reads block 5' }] }]);
});

test('where no node is one, such a call is refused by name, and no node is asked', async () => {
  const { url } = await start({ archive: false }, { archive: false, stateBlocks: 1000 });
  expect((await tell(url, 'eth_getBalance', [A, '0x1'])).body.result).toBe(balanceAt(1));
  for (const block of ['0x0', 'earliest']) {
    const { status, body } = await tell(url, 'eth_getBalance', [A, block]);
    expect([status, body.error]).toMatchObject([503, { code: -32000, message: 'no node has the state of so old a block' }]);
  }
  expect([balances(0), balances(1)]).toEqual([0, 1]);
  expect((await tell(url, 'eth_getBalance', [A, 'latest'])).body.result).toBe(balanceAt(HEAD));
});

test('a state that is asked for by the hash of a block whose height is known goes by the same rule', async () => {
  const { url } = await start({ archive: false, stateBlocks: 20 }, {});
  const lone = nodes[1] as ChainNode;
  const read = async (number: number) => (await tell(url, 'eth_getBalance', [A, { blockHash: lone.hashAt(number) }])).body.result;
  // of the newest blocks the trusted chain tells: a block more is agreed on, and which came before it
  for (let number = HEAD + 1; number <= HEAD + 40; number++) {
    for (const node of nodes) node.head = number;
    await gateway?.until((_, { head }) => head?.number === number);
  }
  for (let number = HEAD + 1; number <= HEAD + 20; number++) expect(await read(number)).toBe(balanceAt(number));
  expect(balances(0)).toBe(0);
  for (let number = HEAD + 21; number <= HEAD + 40; number++) await read(number);
  expect(balances(0)).toBeGreaterThan(0);
  // of older ones an answer that was stored
  await gateway?.until((_, { finalized }) => finalized === lone.finalized);
  const before = balances(0);
  for (let number = 2; number < 22; number++) {
    await vi.waitFor(async () => expect((await tell(url, 'eth_getBlockByNumber', [hex(number), false])).cache).toBe('hit'));
    expect(await read(number)).toBe(balanceAt(number));
  }
  expect(balances(0)).toBe(before);
});
