import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/base/random.ts';
import { BentNode } from '../help/bentNode.ts';
import { metric, tell, untilHit } from '../help/cacheCalls.ts';
import { rpc } from '../help/client.ts';
import { type Fronted, serve, type TestGateway, testGateway } from '../help/gateway.ts';
import { Twins } from '../help/twins.ts';

/** Unlocked accounts of anvil. */
const FROM = ['0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266', '0x70997970c51812dc3a010c7d01b50e0d17dc79c8'];
const hex = (n: number): string => `0x${n.toString(16)}`;
const topic = (n: number): string => `0x${n.toString(16).padStart(64, '0')}`;
const random = seededRandom(20_261_121);
const pick = (count: number): number => Math.floor(random() * count);

const BLOCKS = 32;
/** Blocks below this are stored, and asked about, to sample. */
const SAMPLED = 16;
const SAMPLES = 6;

interface Transaction { readonly hash: string; readonly transactionIndex: string }
interface Block { readonly hash: string; readonly number: string; readonly transactions: readonly Transaction[] }
interface Log { readonly address: string; readonly topics: readonly string[] }

let twins: Twins;
let odd: BentNode;
/** In front of two nodes of one client, of one of a client that tells a transaction otherwise alone than in its block, of both. */
let plain: TestGateway;
let bent: TestGateway;
let mixed: TestGateway;
const blocks: Block[] = [];

const nonces = [0, 0];

/** A transaction of any type: a payment, or a contract whose making logs so many topics. */
function anyTransaction(nonce: number, from: number): Record<string, unknown> {
  const fee = [{ gasPrice: hex(9e9) }, { gasPrice: hex(9e9), accessList: [] }, { maxFeePerGas: hex(9e9), maxPriorityFeePerGas: hex(1) }][pick(3)];
  const common = { from: FROM[from], nonce: hex(nonce), gas: hex(200_000), ...fee };
  if (pick(2) === 0) return { ...common, to: FROM[1 - from], value: hex(pick(1000)) };
  const topics = pick(4);
  const pushes = Array.from({ length: topics }, () => `60${(1 + pick(2)).toString(16).padStart(2, '0')}`).join('');
  return { ...common, data: `0x${pushes}60${pick(2) === 0 ? '00' : '20'}6000${(0xa0 + topics).toString(16)}00` };
}

async function front(nodes: readonly Fronted[]): Promise<TestGateway> {
  const cache = { derive: { samples: SAMPLES, recheckSample: 0 }, verifySample: 0 };
  const gateway = await testGateway(nodes, { chain: { cache, logs: { enabled: false }, blockTimeMs: 600_000, health: { probeIntervalMs: 50 } } });
  await gateway.until((upstreams) => serve(upstreams) && Object.values(upstreams).every(({ clientVersion }) => clientVersion !== null));
  return gateway;
}

const everywhere = (hold: (gateway: TestGateway) => Promise<unknown>): Promise<unknown> => Promise.all([plain, bent, mixed].map(hold));

/** One more block of random transactions, seen by every edge. */
async function grow(count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const from = pick(2);
    const transaction = anyTransaction(nonces[from] as number, from);
    nonces[from] = (nonces[from] as number) + 1;
    await twins.each((url) => rpc(url, 'eth_sendTransaction', [transaction]));
  }
  await twins.mine(1);
  const block = await rpc<Block>(twins.nodes[0]?.httpUrl ?? '', 'eth_getBlockByNumber', ['latest', true]);
  blocks.push(block);
  await everywhere((gateway) => gateway.until((upstreams, { head }) => head?.hash === block.hash && Object.values(upstreams).every(({ headHash }) => headHash === block.hash)));
}

/** Everything that can be derived from one block: calls by method. */
async function callsAbout(block: Block): Promise<(readonly [method: string, params: readonly unknown[]])[]> {
  const { hash, number, transactions } = block;
  const logs = await rpc<Log[]>(twins.nodes[0]?.httpUrl ?? '', 'eth_getLogs', [{ blockHash: hash }]);
  const some = logs[pick(logs.length)];
  const filters = [{}, { address: some?.address ?? FROM[0] }, { topics: [topic(1)] }, { topics: [[topic(1), topic(2)], topic(2)] }];
  return [
    ['eth_getBlockTransactionCountByNumber', [number]],
    ['eth_getBlockTransactionCountByHash', [hash]],
    ['eth_getUncleCountByBlockNumber', [number]],
    ['eth_getUncleCountByBlockHash', [hash]],
    ...transactions.flatMap((each) => [
      ['eth_getTransactionByHash', [each.hash]] as const,
      ['eth_getTransactionReceipt', [each.hash]] as const,
      ['eth_getTransactionByBlockNumberAndIndex', [number, each.transactionIndex]] as const,
      ['eth_getTransactionByBlockHashAndIndex', [hash, each.transactionIndex]] as const,
    ]),
    ...filters.map((filter) => ['eth_getLogs', [{ ...filter, blockHash: hash }]] as const),
  ];
}

/** Has the edge store what everything else about a block is derived from. */
async function store({ url }: TestGateway, { number }: Block): Promise<void> {
  await untilHit(url, 'eth_getBlockByNumber', [number, true]);
  await untilHit(url, 'eth_getBlockReceipts', [number]);
}

/** Asks about the first blocks until every sample that is under way has been judged. */
async function sampleAll(gateway: TestGateway): Promise<void> {
  // only what has been looked for is searched for in blocks
  for (const method of ['eth_getTransactionByHash', 'eth_getTransactionReceipt']) await tell(gateway.url, method, [topic(1)]);
  for (const block of blocks.slice(1, SAMPLED)) {
    await store(gateway, block);
    for (const [method, params] of await callsAbout(block)) await tell(gateway.url, method, params);
  }
}

/** What samples have shown for answers of one method made of blocks by number, or of receipts. */
const stateOf = async (gateway: TestGateway, target: string): Promise<readonly string[]> =>
  (await gateway.chain()).derived.filter((line) => line.target === target).map(({ client, state }) => `${client.split('/')[0]} ${state}`).sort();

beforeAll(async () => {
  twins = await Twins.start(2);
  const url = twins.nodes[0]?.httpUrl ?? '';
  odd = await BentNode.start(url, (method, _params, result) => {
    if (method === 'web3_clientVersion') return 'Odd/v1.0.0';
    return method === 'eth_getTransactionByHash' && result !== null ? { ...(result as object), odd: true } : result;
  });
  const oddly: Fronted = { name: 'odd', httpUrl: odd.httpUrl };
  [plain, bent, mixed] = (await Promise.all([front(twins.nodes), front([oddly]), front([...twins.nodes, oddly])])) as [TestGateway, TestGateway, TestGateway];
  blocks.push(await rpc<Block>(url, 'eth_getBlockByNumber', ['0x0', true]));
  for (let number = 1; number <= BLOCKS; number++) await grow(number % 8 === 1 ? 0 : 1 + pick(6));
  await twins.hashes(0);
  expect(blocks.flatMap(({ transactions }) => transactions).length).toBeGreaterThan(60);
}, 60_000);

afterAll(async () => {
  await everywhere((gateway) => gateway?.close());
  await odd?.close();
  await twins?.close();
});

describe('answers made of other answers', () => {
  it('of real nodes equal what the nodes say, for every block, transaction and receipt, and take no call', async () => {
    await sampleAll(plain);
    for (const { state } of (await plain.chain()).derived) expect(state).toBe('on');
    const before = await metric(plain, 'cache_derived_total');
    let calls = 0;
    for (const block of blocks.slice(SAMPLED)) {
      await store(plain, block);
      for (const [method, params] of await callsAbout(block)) {
        const { cache, body } = await tell(plain.url, method, params);
        const own = await rpc(twins.nodes[1]?.httpUrl ?? '', method, params);
        expect([method, params, cache, body.result]).toEqual([method, params, 'hit', own]);
        calls++;
      }
    }
    expect(calls).toBeGreaterThan(200);
    expect(await metric(plain, 'cache_derived_total')).toBe(before + calls);
    expect(await metric(plain, 'cache_derive_samples_total', 'differs')).toBe(0);
  });

  it('by tag and with quantities written otherwise are the same', async () => {
    const block = blocks.at(-1) as Block;
    await store(plain, block);
    expect(await tell(plain.url, 'eth_getBlockTransactionCountByNumber', ['latest'])).toMatchObject({ cache: 'hit', body: { result: hex(block.transactions.length) } });
    expect((await tell(plain.url, 'eth_getTransactionByBlockNumberAndIndex', ['latest', '0x00'])).body.result).toEqual(block.transactions[0]);
    const beyond = await tell(plain.url, 'eth_getTransactionByBlockNumberAndIndex', ['latest', hex(block.transactions.length)]);
    expect(beyond).toMatchObject({ cache: 'miss', body: { result: null } });
    expect((await tell(plain.url, 'eth_getTransactionByHash', [block.transactions[0]?.hash], { 'cache-control': 'no-cache' })).cache).toBe('bypass');
  });

  it('a single one that a client says otherwise ends it for that pair of methods and that client, and for nothing else', async () => {
    await sampleAll(bent);
    expect(await stateOf(bent, 'eth_getTransactionByHash')).toEqual(['Odd off']);
    expect(await stateOf(bent, 'eth_getTransactionByBlockHashAndIndex')).toEqual(['Odd on']);
    expect(await metric(bent, 'cache_derive_samples_total', 'differs')).toBeGreaterThan(0);
    for (const block of blocks.slice(SAMPLED)) {
      await store(bent, block);
      for (const { hash } of block.transactions) expect((await tell(bent.url, 'eth_getTransactionByHash', [hash])).body.result).toMatchObject({ hash, odd: true });
      expect((await tell(bent.url, 'eth_getBlockTransactionCountByHash', [block.hash])).cache).toBe('hit');
    }
    const explained = await (await fetch(`${bent.adminUrl}/api/v1/explain?chain=test&method=eth_getTransactionByHash&params=${encodeURIComponent(JSON.stringify([topic(1)]))}`)).text();
    expect(explained).toContain('derived from eth_getBlockByNumber of Odd/v1.0.0 off');
  });

  it('are not given while a client of which it does not hold could have been asked', async () => {
    await sampleAll(mixed);
    for (const block of blocks.slice(SAMPLED)) {
      await store(mixed, block);
      const { hash } = block.transactions[0] ?? {};
      if (hash !== undefined) expect((await tell(mixed.url, 'eth_getTransactionByHash', [hash])).cache).toBe('miss');
    }
    expect(await stateOf(mixed, 'eth_getTransactionByHash')).toEqual(['Odd off', 'anvil on']);
  });

  it('the receipts of a block come of single ones, once all are there', async () => {
    const receipts = async (block: Block): Promise<void> => {
      await untilHit(plain.url, 'eth_getBlockByNumber', [block.number, false]);
      for (const { hash } of block.transactions) await untilHit(plain.url, 'eth_getTransactionReceipt', [hash]);
    };
    for (let left = SAMPLES * 3; left > 0; left--) {
      await grow(2);
      const block = blocks.at(-1) as Block;
      await receipts(block);
      await tell(plain.url, 'eth_getBlockReceipts', [block.number]);
    }
    expect(await stateOf(plain, 'eth_getBlockReceipts')).toEqual(['anvil on']);
    await grow(2);
    const block = blocks.at(-1) as Block;
    await untilHit(plain.url, 'eth_getBlockByNumber', [block.number, false]);
    await untilHit(plain.url, 'eth_getTransactionReceipt', [block.transactions[0]?.hash]);
    const asked = await metric(plain, 'cache_derived_total');
    await untilHit(plain.url, 'eth_getTransactionReceipt', [block.transactions[1]?.hash]);
    expect(await metric(plain, 'cache_derived_total')).toBe(asked);
    const { cache, body } = await tell(plain.url, 'eth_getBlockReceipts', [block.number]);
    expect([cache, body.result]).toEqual(['hit', await rpc(twins.nodes[1]?.httpUrl ?? '', 'eth_getBlockReceipts', [block.number])]);
  });

  it('go with the blocks that they are made of', async () => {
    await grow(3);
    const block = blocks.at(-1) as Block;
    const { hash } = block.transactions[0] as Transaction;
    await store(plain, block);
    expect(await tell(plain.url, 'eth_getTransactionByHash', [hash])).toMatchObject({ cache: 'hit', body: { result: { blockHash: block.hash } } });
    await twins.reorg(2);
    const after = await rpc<Block>(twins.nodes[0]?.httpUrl ?? '', 'eth_getBlockByNumber', ['latest', true]);
    await plain.until((upstreams, { head }) => head?.hash === after.hash && serve(upstreams));
    const { body } = await tell(plain.url, 'eth_getTransactionByHash', [hash]);
    expect(body.result ?? null).toEqual(await rpc(twins.nodes[0]?.httpUrl ?? '', 'eth_getTransactionByHash', [hash]));
    expect((await tell(plain.url, 'eth_getBlockTransactionCountByNumber', [block.number])).body.result).toBe(hex(after.transactions.length));
    expect((await tell(plain.url, 'eth_getTransactionByBlockHashAndIndex', [block.hash, '0x0'])).body.result ?? null).toBeNull();
  });
});
