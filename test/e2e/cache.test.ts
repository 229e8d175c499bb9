import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metric, tell, untilHit } from '../help/cacheCalls.ts';
import { rpc } from '../help/client.ts';
import { type TestDevnet, testDevnet } from '../help/devnet.ts';
import { serve, type TestGateway, testGateway } from '../help/gateway.ts';

const A = '0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266';
const UP = '0xF39FD6E51AAD88F6F4CE6AB8827279CFFFB92266'.replace('0X', '0x');
const NOWHERE = `0x${'ab'.repeat(32)}`;
/** Always reverts: PUSH0 PUSH0 REVERT. */
const REVERTS = { data: '0x5f5ffd' };

const tokenFile = join(mkdtempSync(join(tmpdir(), 'tidegate-cache-')), 'admin.token');

let devnet: TestDevnet;
let gateway: TestGateway;
const say = (method: string, params: readonly unknown[] | string = [], headers = {}) => tell(gateway.url, method, params, headers);
const hit = (method: string, params: readonly unknown[] | string = []) => untilHit(gateway.url, method, params);
const head = async (): Promise<number> => Number(await rpc<string>(devnet.url(0), 'eth_blockNumber'));
/** Makes blocks; resolves when the edge has seen the last. */
const mine = async (count: number): Promise<void> => {
  await devnet.mine(count);
  await devnet.settled();
  const top = await head();
  await gateway.until((upstreams, chain) => chain.head?.number === top && serve(upstreams));
};

beforeAll(async () => {
  devnet = await testDevnet();
  await devnet.mine(8);
  await devnet.settled();
  const nodes = devnet.nodes.map(({ httpUrl }, index) => ({ name: `n${index}`, httpUrl }));
  const health = { probeIntervalMs: 100 };
  gateway = await testGateway(nodes, { tokenFile, chain: { cache: { verifySample: 1 }, blockTimeMs: 600_000, health, methods: { dev: true } } });
  await gateway.until((upstreams) => serve(upstreams));
});

afterAll(async () => {
  expect(await metric(gateway, 'cache_verified_total')).toBeGreaterThan(20);
  expect(await metric(gateway, 'cache_verify_differences_total')).toBe(0);
  await gateway?.close();
  await devnet?.close();
});

describe('with real nodes', () => {
  it.each([
    ['eth_chainId', []],
    ['eth_getBalance', [A, 'latest']],
    ['eth_getBalance', [A, '0x2']],
    ['eth_getTransactionCount', [A, 'latest']],
    ['eth_getCode', [A, '0x1']],
    ['eth_getStorageAt', [A, '0x0', 'latest']],
    ['eth_getProof', [A, [`0x${'0'.repeat(64)}`], 'latest']],
    ['eth_call', [{ to: A }]],
    ['eth_estimateGas', [{ to: A }, 'latest']],
    ['eth_getBlockByNumber', ['latest', true]],
    ['eth_getBlockByNumber', ['finalized', false]],
    ['eth_getBlockByNumber', ['0x3', false]],
    ['eth_getBlockByNumber', ['0xffff', false]],
    ['eth_getBlockReceipts', ['0x2']],
    ['eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x4' }]],
    ['eth_getTransactionReceipt', [NOWHERE]],
    ['eth_feeHistory', ['0x2', 'latest', []]],
    ['eth_gasPrice', []],
    ['eth_maxPriorityFeePerGas', []],
    ['debug_traceBlockByNumber', ['0x2', {}]],
  ])('%s %j is answered from the cache as a node answers it', async (method, params) => {
    const stored = await hit(method, params);
    expect(stored).toMatchObject({ status: 200, upstream: '', body: { id: 7 } });
    expect(stored.body.result).toEqual(await rpc(devnet.url(1), method, params));
  });

  it.each([
    ['eth_getTransactionByHash', [NOWHERE]],
    ['eth_getTransactionCount', [A, 'pending']],
    ['eth_getBalance', [A, 'pending']],
    ['eth_estimateGas', [{ to: A }]],
    ['eth_syncing', []],
    ['net_version', []],
    ['net_listening', []],
    ['web3_clientVersion', []],
    ['txpool_status', []],
    ['eth_getBalance', `["${A}",{"blockNumber":"0x1","BLOCKNUMBER":"0x1"}]`],
  ])('%s %j never is', async (method, params) => {
    for (let i = 0; i < 4; i++) expect((await say(method, params)).cache).not.toBe('hit');
  });

  it('calls that mean the same share an answer, each under its own id', async () => {
    await hit('eth_getBalance', [A, '0x4']);
    expect(await say('eth_getBalance', `[ "${UP}" , "0x0004" ]`)).toMatchObject({ cache: 'hit', upstream: '' });
    const ids = ['1', '"a\\"b"', '12345678901234567890', 'null', '1.50'];
    for (const id of ids) {
      const answer = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"jsonrpc":"2.0","id":${id},"method":"eth_getBalance","params":["${A}","0x4"]}` });
      expect(await answer.text()).toMatch(new RegExp(`^\\{"jsonrpc":"2.0","id":${id.replace(/[\\.]/g, '\\$&')},"result":"0x`));
      expect(answer.headers.get('x-tidegate-cache')).toBe('hit');
    }
    const none = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `{"jsonrpc":"2.0","method":"eth_getBalance","params":["${A}","0x4"]}` });
    expect(none.status).toBe(204);
  });

  it('a revert at a fixed block is stored as the error that it is; other errors are not', async () => {
    const stored = await hit('eth_call', [REVERTS, '0x2']);
    expect(stored.body.error).toMatchObject({ code: 3, message: expect.stringContaining('reverted') });
    for (let i = 0; i < 3; i++) expect((await say('eth_getBalance', ['nobody', '0x2'])).cache).not.toBe('hit');
  });

  it('a client can pass it by', async () => {
    await hit('eth_getBalance', [A, '0x4']);
    const past = await say('eth_getBalance', [A, '0x4'], { 'cache-control': 'max-age=0, no-cache' });
    expect(past.cache).toBe('bypass');
    expect(past.upstream).toMatch(/^n\d$/);
  });

  it('a batch is answered from it entry by entry', async () => {
    await hit('eth_getBalance', [A, '0x4']);
    await hit('eth_chainId');
    const batch = async (...calls: readonly string[]): Promise<[string | null, unknown]> => {
      const answer = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: `[${calls.join(',')}]` });
      return [answer.headers.get('x-tidegate-cache'), await answer.json()];
    };
    const call = (id: number, method: string, params: readonly unknown[]): string => JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const stored = [call(1, 'eth_chainId', []), call(2, 'eth_getBalance', [A, '0x4'])] as const;
    expect((await batch(...stored))[0]).toBe('hit');
    const [cache, answers] = await batch(...stored, call(3, 'net_listening', []));
    expect(cache).toBe('miss');
    expect(answers).toMatchObject([{ id: 1, result: '0x7a69' }, { id: 2 }, { id: 3, result: true }]);
    expect((await batch(call(3, 'net_listening', [])))[0]).toBe('bypass');
  });

  it('what is about the head goes with it', async () => {
    const before = Number((await hit('eth_blockNumber')).body.result);
    await hit('eth_getBlockByNumber', ['latest', false]);
    await mine(1);
    const after = await say('eth_getBlockByNumber', ['latest', false]);
    expect(Number((after.body.result as { number: string }).number)).toBe(before + 1);
    expect((await say('eth_getBlockByNumber', [`0x${before.toString(16)}`, false])).cache).toBe('hit');
  });

  it('an operator is told what it would do', async () => {
    const decision = async (method: string, params: readonly unknown[]): Promise<unknown> => {
      const query = new URLSearchParams({ method, params: JSON.stringify(params) });
      return ((await (await fetch(`${gateway.adminUrl}/api/v1/explain?${query}`)).json()) as { cache: unknown }).cache;
    };
    expect(await decision('eth_getBalance', [A, '0x3'])).toMatchObject({ class: expect.stringMatching(/finalized$/), block: 3, stored: false });
    await hit('eth_getBalance', [A, '0x3']);
    expect(await decision('eth_getBalance', [A, '0x3'])).toMatchObject({ block: 3, stored: true });
    expect(await decision('eth_chainId', [])).toMatchObject({ class: 'static' });
    expect(await decision('eth_getBalance', [A, 'pending'])).toMatchObject({ class: 'never', stored: false });
  });

  it('an operator drops what he names', async () => {
    const token = readFileSync(tokenFile, 'utf8').trim();
    const flush = async (body: object): Promise<[number, unknown]> => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
      const answer = await fetch(`${gateway.adminUrl}/api/v1/cache/flush`, { method: 'POST', headers, body: JSON.stringify(body) });
      return [answer.status, await answer.json()];
    };
    const all = [['eth_getBalance', [A, '0x4']], ['eth_getBalance', [A, '0x1']], ['eth_getCode', [A, '0x4']]] as const;
    for (const [method, params] of all) await hit(method, params);
    const kept = async (): Promise<string[]> => (await Promise.all(all.map(([method, params]) => say(method, params)))).map(({ cache }) => cache);
    expect(await flush({ chain: 'test', method: 'eth_getBalance', fromNumber: 2 })).toEqual([200, { chains: ['test'] }]);
    expect(await kept()).toEqual(['miss', 'hit', 'hit']);
    for (const [method, params] of all) await hit(method, params);
    expect((await flush({}))[0]).toBe(200);
    expect(await kept()).toEqual(['miss', 'miss', 'miss']);
    for (const [bad, status] of [[{ chain: 'other' }, 404], [{ fromNumber: -1 }, 400], [{ method: '' }, 400], [{ all: true }, 400]] as const) {
      expect([bad, (await flush(bad))[0]]).toEqual([bad, status]);
    }
  });

  it('a call that changes the chain past its rules empties it', async () => {
    await hit('eth_getBalance', [A, 'latest']);
    for (const { httpUrl } of devnet.nodes) await rpc(httpUrl, 'anvil_setBalance', [NOWHERE.slice(0, 42), '0x1']);
    expect((await say('eth_getBalance', [A, 'latest'])).cache).toBe('hit');
    await say('anvil_setMinGasPrice', ['0x0']);
    expect((await say('eth_getBalance', [A, 'latest'])).cache).toBe('miss');
  });
});
