import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/health/probe.ts';
import { Prober } from '../../src/upstream/probe.ts';
import type { ProbeEvery } from '../../src/upstream/probe.ts';
import type { World } from '../../src/upstream/world.ts';
import { testAnvil } from '../help/anvil.ts';
import { rpc } from '../help/client.ts';
import { FakeNode, httpAnswer } from '../help/fakeNode.ts';
import { ManualWorld, realWorld } from '../help/time.ts';
import { httpUpstream } from '../help/upstream.ts';

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

const ALWAYS: ProbeEvery = { tags: 1, syncing: 1, peers: 1, identity: 1 };
const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const block = (number: string): object => ({ number, hash: hash('A'), parentHash: hash('b'), timestamp: '0x65', transactions: [] });

type Results = Record<string, unknown>;

const GOOD: Results = {
  'eth_getBlockByNumber latest': block('0x10'),
  'eth_getBlockByNumber safe': block('0xf'),
  'eth_getBlockByNumber finalized': block('0xe'),
  eth_syncing: false,
  net_peerCount: '0x19',
  eth_chainId: '0x1',
  web3_clientVersion: 'Geth/v1.16',
};

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A node with a table of results; what the table lacks is -32601. */
async function tableNode(results: Results): Promise<{ node: FakeNode; asked: string[]; results: Results }> {
  const asked: string[] = [];
  const table = { ...results };
  const node = await FakeNode.start((socket, request) => {
    const { id, method, params } = JSON.parse(request.body) as Call;
    const key = method === 'eth_getBlockByNumber' ? `${method} ${String(params[0])}` : method;
    asked.push(key);
    const result = table[key];
    const answer = key in table ? { jsonrpc: '2.0', id, result } : { jsonrpc: '2.0', id, error: { code: -32601, message: 'key=secret' } };
    socket.write(httpAnswer('200 OK', JSON.stringify(answer)));
  });
  open.push(() => node.kill());
  return { node, asked, results: table };
}

function prober(url: string, every: ProbeEvery = ALWAYS, world: World = realWorld): Prober {
  const client = httpUpstream(url, { connections: 8 }, world);
  open.push(() => client.close(0));
  return new Prober(client, { timeoutMs: 5000, every }, world.clock);
}

const fresh = (): World => new ManualWorld();

describe('Prober', () => {
  it('tells every fact of a healthy node', async () => {
    const { node } = await tableNode(GOOD);
    expect(await prober(node.url, ALWAYS, fresh()).probe()).toEqual({
      kind: 'ok',
      head: { number: 16, hash: hash('a'), parentHash: hash('b'), timestampS: 0x65 },
      safe: { number: 15, hash: hash('a') },
      finalized: { number: 14, hash: hash('a') },
      syncing: false, peers: 25, chainId: 1, clientVersion: 'Geth/v1.16', latencyMs: 0,
    });
  });

  it('tells what a bare node lacks as unknown', async () => {
    const { node } = await tableNode({ 'eth_getBlockByNumber latest': block('0x0'), 'eth_getBlockByNumber safe': null, eth_chainId: 'junk' });
    expect(await prober(node.url).probe()).toMatchObject({
      kind: 'ok', safe: undefined, finalized: undefined, syncing: false, peers: null, chainId: null, clientVersion: null,
    });
  });

  it('takes any answer of eth_syncing but false for syncing', async () => {
    const { node } = await tableNode({ ...GOOD, eth_syncing: { currentBlock: '0x1' } });
    expect(await prober(node.url).probe()).toMatchObject({ kind: 'ok', syncing: true });
  });

  it('asks slow facts by every k-th probe only, and remembers them in between', async () => {
    const { node, asked, results } = await tableNode({ ...GOOD, eth_syncing: true });
    const subject = prober(node.url, { tags: 2, syncing: 3, peers: 0, identity: 3 });
    const rounds: string[][] = [];
    const told: ProbeResult[] = [];
    for (let i = 0; i < 4; i++) {
      told.push(await subject.probe());
      rounds.push(asked.splice(0).map((key) => key.replace('eth_getBlockByNumber ', '')).sort());
    }
    expect(rounds).toEqual([
      ['eth_chainId', 'eth_syncing', 'finalized', 'latest', 'safe', 'web3_clientVersion'],
      ['latest'],
      ['finalized', 'latest', 'safe'],
      ['eth_chainId', 'eth_syncing', 'latest', 'web3_clientVersion'],
    ]);
    expect(told[0]).toMatchObject({ finalized: { number: 14 }, chainId: 1 });
    expect(told[1]).toMatchObject({ syncing: true, finalized: undefined, chainId: null, clientVersion: null });
    delete results['eth_getBlockByNumber latest'];
    expect(await subject.probe()).toMatchObject({ kind: 'bad' });
    results['eth_getBlockByNumber latest'] = block('0x11');
    asked.splice(0);
    expect(await subject.probe()).toMatchObject({ kind: 'ok', chainId: 1 });
    expect(asked).toHaveLength(6);
  });

  it('compares heights that it is asked about, and leaves out what the node does not have', async () => {
    const { node } = await tableNode({ ...GOOD, 'eth_getBlockByNumber 0xa': block('0xa'), 'eth_getBlockByNumber 0xb': null, 'eth_getBlockByNumber 0xc': block('0xd') });
    expect(await prober(node.url).probe([10, 11, 12, 13])).toMatchObject({ kind: 'ok', marks: [{ number: 10, hash: hash('a') }] });
  });

  it.each([
    [{ ...block('0x10'), number: '16' }, 'latest block: number is no quantity'],
    [{ ...block('0x10'), number: null }, 'latest block: number is no quantity'],
    [block('0xffffffffffffffff'), 'latest block: number is no quantity'],
    [{ ...block('0x10'), hash: '0x12' }, 'latest block: hash is no 32-byte hash'],
    [{ ...block('0x10'), parentHash: `${hash('a')}0` }, 'latest block: parentHash is no 32-byte hash'],
    [{ ...block('0x10'), timestamp: 101 }, 'latest block: timestamp is no quantity'],
    [null, 'latest block: the block is no object'],
    [[], 'latest block: the block is no object'],
  ])('calls a head that is none bad: %j', async (head, detail) => {
    const { node } = await tableNode({ ...GOOD, 'eth_getBlockByNumber latest': head });
    expect(await prober(node.url).probe()).toEqual({ kind: 'bad', detail });
  });

  it.each([
    ['429 Slow', '', 'HTTP status 429 without a JSON-RPC answer'],
    ['429 Slow', '{"jsonrpc":"2.0","error":{"code":-32099,"message":"slow down"}}', 'error 429 instead of a head'],
    ['200 OK', '{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit"}}', 'error -32005 instead of a head'],
  ])('calls %s %s throttled', async (status, body, detail) => {
    const node = await FakeNode.start((socket) => socket.write(httpAnswer(status, body)));
    open.push(() => node.kill());
    expect(await prober(node.url).probe()).toEqual({ kind: 'throttled', detail });
  });

  it('names an error answer by its code alone', async () => {
    const { node } = await tableNode({});
    expect(await prober(node.url).probe()).toEqual({ kind: 'bad', detail: 'error -32601 instead of a head' });
  });

  it.each([
    ['200 OK', '{"jsonrpc":"2.0","id":999,"result":{}}', 'an answer with another id'],
    ['200 OK', '{"jsonrpc":"2.0","id":1,', 'HTTP status 200, no JSON-RPC answer'],
    ['200 OK', '[{}]', 'HTTP status 200, no JSON-RPC answer'],
    ['502 Bad', '<html>', 'HTTP status 502 without a JSON-RPC answer'],
  ])('calls %s %s bad', async (status, body, detail) => {
    const node = await FakeNode.start((socket) => socket.write(httpAnswer(status, body)));
    open.push(() => node.kill());
    expect(await prober(node.url).probe()).toEqual({ kind: 'bad', detail });
  });

  it('tells a refused node from one that hangs', async () => {
    const world = new ManualWorld();
    const node = await FakeNode.start(() => {});
    const subject = prober(node.url, ALWAYS, world);
    const hanging = subject.probe();
    await node.until(() => node.requests.length === 7);
    world.advance(5000);
    expect(await hanging).toEqual({ kind: 'timeout', detail: 'no answer in time' });
    await node.kill();
    expect(await subject.probe()).toEqual({ kind: 'refused', detail: 'connection refused' });
  });

  it('waits no longer than its timeout for a slow fact, and still tells the head', async () => {
    const world = new ManualWorld();
    const node = await FakeNode.start((socket, request) => {
      const { id, method } = JSON.parse(request.body) as Call;
      if (method === 'eth_getBlockByNumber') socket.write(httpAnswer('200 OK', JSON.stringify({ jsonrpc: '2.0', id, result: block('0x1') })));
    });
    open.push(() => node.kill());
    const probing = prober(node.url, ALWAYS, world).probe();
    await node.until(() => node.requests.length === 7);
    // The three block answers are in: only the four slow facts' timers are left.
    while (world.delays.length > 4) await new Promise(setImmediate);
    world.advance(5000);
    expect(await probing).toMatchObject({ kind: 'ok', peers: null, chainId: null });
  });

  it('reads a real node', async () => {
    const node = await testAnvil();
    open.push(() => node.stop(2000));
    const url = `http://127.0.0.1:${node.port}/`;
    const subject = prober(url);
    await rpc(url, 'anvil_mine', ['0x5']);
    const told = await subject.probe();
    const head = await rpc<{ hash: string; parentHash: string; timestamp: string }>(url, 'eth_getBlockByNumber', ['latest', false]);
    expect(told).toMatchObject({
      kind: 'ok',
      head: { number: 5, hash: head.hash, parentHash: head.parentHash, timestampS: Number(head.timestamp) },
      safe: { number: 4 }, finalized: { number: 3 }, syncing: false, peers: null, chainId: 31_337,
    });
    expect(told.kind === 'ok' ? told.clientVersion : '').toMatch(/^anvil/);
    node.kill('SIGKILL');
    await node.exited;
    expect(await subject.probe()).toMatchObject({ kind: 'refused' });
  });
});
