import { afterEach, describe, expect, test } from 'vitest';
import { ChainNode, balanceAt } from '../help/chainNode.ts';
import { hashOf } from '../help/chainView.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

const A = '0x00000000000000000000000000000000000000aa';
const BALANCE = ['eth_getBalance', [A, 'latest']] as const;
const BLOCK_TIME_MS = 60_000;

let nodes: ChainNode[] = [];
let gateway: TestGateway | null = null;
afterEach(async () => {
  await gateway?.close();
  await Promise.all(nodes.map((node) => node.close()));
  gateway = null;
});

interface Answer {
  readonly status: number;
  readonly body: { readonly result?: unknown; readonly error?: { readonly code: number; readonly message: string } };
  readonly block: string | null;
  readonly retryAfter: string | null;
}

/** Three nodes at block 100, probed every 100 ms. */
async function start(view: object = {}, engine: 'uws' | 'node' = 'node', count = 3): Promise<TestGateway> {
  nodes = await Promise.all(Array.from({ length: count }, () => ChainNode.start()));
  const fronted = nodes.map((node, index) => ({ name: `n${index}`, httpUrl: node.httpUrl }));
  const routing = { hedge: { enabled: false }, retryBudget: { percent: 100, reservePerS: 1000 } };
  gateway = await testGateway(fronted, { engine, chain: { name: 'test', chainId: 1, blockTimeMs: BLOCK_TIME_MS, view, routing, health: { probeIntervalMs: 100 } } });
  await gateway.until((upstreams, chain) => serve(upstreams) && chain.head?.number === 100);
  for (const node of nodes) node.asked.length = 0;
  return gateway;
}

async function post(body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(gateway?.url ?? '', { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Answer['body'], block: response.headers.get('x-tidegate-block'), retryAfter: response.headers.get('retry-after') };
}
const ask = (method: string, params: readonly unknown[] = [], headers: Record<string, string> = {}) => post({ jsonrpc: '2.0', id: 1, method, params }, headers);
const mark = (number: number, branch = 'a'): string => `${number}:${hashOf(number, branch)}`;
const [n0, n1, n2] = [0, 1, 2].map((index) => () => nodes[index] as ChainNode) as [() => ChainNode, () => ChainNode, () => ChainNode];
const trusted = (number: number) => gateway?.until((_, chain) => chain.head?.number === number);

describe.each(['uws', 'node'] as const)('the head that clients see, engine %s', (engine) => {
  test('answers eth_blockNumber and stands on every answer', async () => {
    await start({}, engine);
    expect(await ask('eth_blockNumber')).toMatchObject({ status: 200, body: { id: 1, result: '0x64' }, block: mark(100) });
    expect(nodes.flatMap((node) => node.paramsOf('eth_blockNumber'))).toEqual([]);
    expect((await ask('eth_chainId')).block).toBe(mark(100));
    expect((await ask('admin_peers')).block).toBe(mark(100));
    expect((await post([{ jsonrpc: '2.0', id: 1, method: 'eth_blockNumber' }])).block).toBe(mark(100));
    expect((await post('no call')).block).toBe(mark(100));
  });

  test('one node alone does not move it', async () => {
    await start({}, engine);
    n0().head = 105;
    await gateway?.until((upstreams) => upstreams['n0']?.headNumber === 105);
    expect(await ask('eth_blockNumber')).toMatchObject({ body: { result: '0x64' } });
  });

  test('a client that has seen a block is shown no older view', async () => {
    await start({}, engine);
    const asked = ask(...BALANCE, { 'x-tidegate-min-block': mark(101) });
    for (const node of nodes) node.head = 101;
    expect(await asked).toMatchObject({ status: 200, body: { result: balanceAt(101) }, block: mark(101) });
  });

  test.each([['a single call', false], ['a batch', true]])('%s is refused when that block does not come', async (_, batch) => {
    await start({ maxWaitMs: 50 }, engine);
    const call = { jsonrpc: '2.0', id: 7, method: 'eth_blockNumber' };
    const answer = await post(batch ? [call] : call, { 'x-tidegate-min-block': '101' });
    expect(answer).toMatchObject({ status: 503, retryAfter: '1', block: mark(100), body: { id: batch ? null : 7, error: { code: -32000, message: 'the block in x-tidegate-min-block is not known here yet' } } });
    expect(await post(call, { 'x-tidegate-min-block': '100' })).toMatchObject({ status: 200 });
    expect(await post(call, { 'x-tidegate-min-block': 'latest' })).toMatchObject({ status: 400, body: { error: { code: -32600 } } });
  });
});

describe('a reorg', () => {
  const reorg = async (): Promise<void> => {
    for (const node of nodes) node.fork(98, 'b');
    for (const node of nodes) node.head = 101;
    await trusted(101);
  };

  test('is followed, and the block of the branch that it replaced counts as seen', async () => {
    await start({ maxWaitMs: 50 });
    await reorg();
    expect(await ask(...BALANCE, { 'x-tidegate-min-block': mark(100, 'a') })).toMatchObject({ status: 200, block: mark(101, 'b') });
    expect(await ask(...BALANCE, { 'x-tidegate-min-block': mark(100, 'z') })).toMatchObject({ status: 503 });
  });

  test('overtakes a call: it is asked again on the new branch', async () => {
    await start();
    let release: (() => void) | null = null;
    const held = new Promise<void>((resolve) => (release = resolve));
    const serverHolds = nodes.map((node) => node.hold(held, 'eth_getBalance'));
    const asked = ask(...BALANCE);
    await Promise.race(serverHolds);
    await reorg();
    (release as (() => void) | null)?.();
    expect(await asked).toMatchObject({ body: { result: balanceAt(101, 'b') }, block: mark(101, 'b') });
  });

  test('overtakes a batch: all that depends on it runs again, on one head', async () => {
    await start();
    let release: (() => void) | null = null;
    const held = new Promise<void>((resolve) => (release = resolve));
    const serverHolds = nodes.map((node) => node.hold(held, 'eth_getBalance'));
    const call = (id: number, method: string, params: readonly unknown[] = []) => ({ jsonrpc: '2.0', id, method, params });
    const asked = post([call(1, 'eth_blockNumber'), call(2, 'eth_getBlockByNumber', ['latest', true]), call(3, ...BALANCE), call(4, 'eth_chainId')]);
    await Promise.race(serverHolds);
    await reorg();
    (release as (() => void) | null)?.();
    const { body, block } = await asked;
    expect(block).toBe(mark(101, 'b'));
    expect(body).toMatchObject([{ id: 1, result: '0x65' }, { id: 2, result: { hash: hashOf(101, 'b') } }, { id: 3, result: balanceAt(101, 'b') }, { id: 4, result: '0x1' }]);
  });
});

describe('which node answers', () => {
  test('latest goes to nodes at the head only, pinned to it where they are further', async () => {
    await start();
    n0().head = 99;
    n1().head = 103;
    await gateway?.until((upstreams) => upstreams['n0']?.headNumber === 99 && upstreams['n1']?.headNumber === 103);
    for (let i = 0; i < 12; i++) expect(await ask('eth_getBalance', [`0x${i.toString(16).padStart(40, '0')}`, 'latest'])).toMatchObject({ body: { result: balanceAt(100) }, block: mark(100) });
    expect(n0().paramsOf('eth_getBalance')).toEqual([]);
    for (const params of n1().paramsOf('eth_getBalance')) expect(params).toMatchObject([expect.any(String), '0x64']);
  });

  test('a tag is left alone where the node is known to be at the head, unless pinning is always', async () => {
    await start();
    await ask(...BALANCE);
    expect(nodes.flatMap((node) => node.paramsOf('eth_getBalance'))).toEqual([[A, 'latest']]);
  });

  test('pinning always names the block by its hash, which a branch of its own cannot answer', async () => {
    await start({ pinning: 'always' });
    n0().fork(98, 'b');
    for (let i = 0; i < 12; i++) {
      const address = `0x${i.toString(16).padStart(40, '0')}`;
      expect(await ask('eth_getBalance', [address, 'latest'])).toMatchObject({ body: { result: balanceAt(100) } });
      expect(await ask('eth_getBalance', [address, '0x63'])).toMatchObject({ body: { result: balanceAt(99) } });
    }
    expect(n1().paramsOf('eth_getBalance')[0]).toMatchObject([expect.any(String), { blockHash: expect.stringMatching(/^0x61/) }]);
  });

  test('pinning never leaves params as they are', async () => {
    await start({ pinning: 'never' });
    n1().head = 103;
    await gateway?.until((upstreams) => upstreams['n1']?.headNumber === 103);
    for (let i = 0; i < 6; i++) await ask('eth_getBalance', [`0x${i.toString(16).padStart(40, '0')}`, 'latest']);
    for (const node of nodes) for (const params of node.paramsOf('eth_getBalance')) expect(params).toMatchObject([expect.any(String), 'latest']);
  });

  test('an answer of another branch is dropped while a node on the trusted one serves', async () => {
    await start();
    n0().script = (method, params) => (method === 'eth_getBlockByNumber' && params[1] === true ? { result: { number: params[0], hash: hashOf(99, 'z'), transactions: [] } } : undefined);
    n1().script = n0().script;
    for (let i = 0; i < 6; i++) expect(await ask('eth_getBlockByNumber', ['0x63', true, i])).toMatchObject({ body: { result: { hash: hashOf(99) } } });
    expect(n0().paramsOf('eth_getBlockByNumber').length + n1().paramsOf('eth_getBlockByNumber').length).toBeGreaterThan(0);
    const page = await (await fetch(`${gateway?.adminUrl}/metrics`)).text();
    expect(page).toMatch(/tidegate_view_events_total\{chain="test",event="off_branch"\} [1-9]/);
  });

  test('nothing is answered where every node is on another branch', async () => {
    await start({ maxWaitMs: 50 });
    for (const node of nodes) node.script = (method, params) => (method === 'eth_getBlockByNumber' && params[1] === true ? { result: { number: params[0], hash: hashOf(99, 'z') } } : undefined);
    expect(await ask('eth_getBlockByNumber', ['0x63', true])).toMatchObject({ status: 503, retryAfter: '1', body: { error: { message: 'no node has reached the head of the chain yet' } } });
  });

  test('a receipt from above the head is given when the head is there', async () => {
    await start();
    const receipt = { blockNumber: '0x65', blockHash: hashOf(101), transactionHash: hashOf(1, 't') };
    for (const node of nodes) node.script = (method) => (method === 'eth_getTransactionReceipt' ? { result: node.head >= 101 ? receipt : null } : undefined);
    n0().head = 101;
    n1().head = 101;
    const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => ask('eth_getTransactionReceipt', [hashOf(i, 't')])));
    for (const { body, block } of answers) {
      const isThere = body.result !== null;
      if (isThere) expect(block).toBe(mark(101));
    }
    expect(answers.some(({ body }) => body.result !== null)).toBe(true);
    expect(n2().head).toBe(100);
  });

  test('a block that one node has alone is not given', async () => {
    await start({ maxWaitMs: 50 });
    n0().head = 101;
    const asked = await Promise.all(Array.from({ length: 6 }, (_, i) => ask('eth_getBlockByHash', [hashOf(101), true, i])));
    for (const { body, block } of asked) expect({ result: body.result, block }).toEqual({ result: null, block: mark(100) });
  });
});
