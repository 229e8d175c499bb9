import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const sha256 = (key: string): string => createHash('sha256').update(key).digest('hex');
const key = (name: string, extra: object = {}) => ({ name, sha256: sha256(`key-${name}`), ...extra });
// so slow that nothing comes back within a test; eth_gasPrice weighs 1, eth_call 3
const SLOW = { unitsPerS: 0.001 };
const KEYS = [
  key('app'),
  key('reader', { methods: { allow: ['eth_call', 'eth_get*'], deny: ['eth_getLogs'] } }),
  key('slow', { rate: { ...SLOW, burst: 4 } }),
  key('batcher', { rate: { ...SLOW, burst: 2 } }),
  key('single', { maxInFlight: 1 }),
  key('side', { chains: ['side'] }),
];
const rpc = (method: string, params: unknown = [], id: number | null = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', ...(id === null ? {} : { id }), method, params });
const PRICE = rpc('eth_gasPrice');

describe.each(['uws', 'node'] as const)('access, engine %s', (engine) => {
  let node: ScriptNode;
  let closed: TestGateway;
  let open: TestGateway;

  beforeAll(async () => {
    node = await ScriptNode.start(() => ({ result: '"0x1"' }));
    const nodes = [{ name: 'one', httpUrl: node.httpUrl }];
    const chain = { name: 'main', chainId: 1, routing: { hedge: { enabled: false } } };
    const side = { name: 'side', chainId: 1000, upstreams: [{ name: 'other', http: `${node.httpUrl}side` }] };
    closed = await testGateway(nodes, { engine, chain, moreChains: [side], access: { keys: KEYS, required: true } });
    const perIp = { callsPerS: SLOW.unitsPerS, burst: 2 };
    open = await testGateway(nodes, { engine, chain, server: { trustedProxies: ['127.0.0.1'] }, access: { perIp } });
    for (const gateway of [closed, open]) await gateway.until((upstreams) => upstreams.one?.state === 'serving');
  });
  afterEach(() => {
    node.say = () => ({ result: '"0x1"' });
    node.calls.length = 0;
  });
  afterAll(async () => {
    await closed?.close();
    await open?.close();
    await node?.close();
  });

  const post = async (url: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    return { status: response.status, headers: response.headers, text: await response.text() };
  };
  const as = (name: string, body: string) => post(closed.url, body, { 'x-api-key': `key-${name}` });
  const metric = async (line: string): Promise<number> => {
    const text = await (await fetch(`${closed.adminUrl}/metrics`)).text();
    return Number(text.split('\n').find((each) => each.startsWith(`${line} `))?.split(' ')[1] ?? 'NaN');
  };

  test.each<[string, Record<string, string>]>([
    ['', { 'x-api-key': 'key-app' }],
    ['main', { authorization: 'Bearer key-app' }],
    ['key-app', {}],
    ['main/key-app', {}],
    ['evm/1/key-app', {}],
  ])('a key opens /%s %j', async (path, headers) => {
    expect(await post(`${closed.url}${path}`, PRICE, headers)).toMatchObject({ status: 200, text: expect.stringContaining('"result"') });
  });

  test.each<[string, Record<string, string>]>([
    ['', {}],
    ['', { 'x-api-key': 'key-none' }],
    ['main/key-none', {}],
    ['', { authorization: 'Bearer key-none' }],
  ])('without a known one /%s %j is refused', async (path, headers) => {
    const before = await metric('tidegate_refusals_total{kind="unauthorized"}');
    const answer = await post(`${closed.url}${path}`, PRICE, headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer');
    expect(JSON.parse(answer.text)).toEqual({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'a valid key is required' } });
    expect(node.calls).toEqual([]);
    expect(await metric('tidegate_refusals_total{kind="unauthorized"}')).toBe(before + 1);
  });

  test('a key opens its methods only, each entry of a batch by itself', async () => {
    const body = `[${rpc('eth_call', [{}], 1)},${rpc('eth_gasPrice', [], 2)},${rpc('eth_getLogs', [{}], 3)},${rpc('eth_call', [{ to: 1, To: 2 }], 4)}]`;
    const { status, text } = await as('reader', body);
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject([
      { id: 1, result: '0x1' },
      { id: 2, error: { code: -32601 } },
      { id: 3, error: { code: -32601 } },
      { id: 4, error: { code: -32602 } },
    ]);
    expect(node.calls.map(({ method }) => method)).toEqual(['eth_call']);
  });

  test('a key opens its chains only, by whatever path and place', async () => {
    const before = await metric('tidegate_refusals_total{kind="forbidden"}');
    const tries: readonly (readonly [path: string, headers: Record<string, string>])[] = [
      ['', { 'x-api-key': 'key-side' }], ['main', { authorization: 'Bearer key-side' }], ['evm/1', { 'x-api-key': 'key-side' }], ['main/key-side', {}],
    ];
    for (const [path, headers] of tries) {
      const answer = await post(`${closed.url}${path}`, PRICE, headers);
      expect(answer.status).toBe(403);
      expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32001 } });
      expect(answer.text).not.toContain('key-side');
    }
    expect(node.calls).toEqual([]);
    expect(await metric('tidegate_refusals_total{kind="forbidden"}')).toBe(before + tries.length);
    expect((await post(`${closed.url}side`, PRICE, { 'x-api-key': 'key-side' })).status).not.toBe(403);
  });

  test('a key opens no method that its chain refuses', async () => {
    expect(JSON.parse((await as('app', rpc('admin_peers'))).text)).toMatchObject({ error: { code: -32601 } });
  });

  test('over its rate a key gets 429 and is told when to come back', async () => {
    expect((await as('slow', rpc('eth_call', [{}]))).status).toBe(200);
    expect((await as('slow', PRICE)).status).toBe(200);
    const refused = await as('slow', rpc('eth_call', [{}], 7));
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.text)).toEqual({ jsonrpc: '2.0', id: 7, error: { code: -32005, message: 'rate limit exceeded' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(2000);
    expect(node.calls).toHaveLength(2);
    expect((await as('app', PRICE)).status).toBe(200);
  });

  test('in a batch only the entries over the rate are refused', async () => {
    const { status, text } = await as('batcher', `[${[1, 2, 3, 4].map((id) => rpc('eth_gasPrice', [], id)).join(',')}]`);
    expect(status).toBe(200);
    const answers = JSON.parse(text) as { id: number; error?: { code: number } }[];
    expect(answers.map(({ id, error }) => [id, error?.code ?? 'result'])).toEqual([[1, 'result'], [2, 'result'], [3, -32005], [4, -32005]]);
    // equal calls share one; each has passed its own admission
    expect(node.calls).toHaveLength(1);
  });

  test('a call under way holds its place until it ends, also when its client leaves', async () => {
    node.say = () => 'hang';
    const leaving = new AbortController();
    const headers = { 'content-type': 'application/json', 'x-api-key': 'key-single' };
    const first = fetch(closed.url, { method: 'POST', headers, body: PRICE, signal: leaving.signal }).catch(() => 'left');
    await vi.waitFor(() => expect(node.calls).toHaveLength(1), { timeout: 10_000 });
    const second = await as('single', PRICE);
    expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
    leaving.abort();
    expect(await first).toBe('left');
    node.say = () => ({ result: '"0x1"' });
    await vi.waitFor(async () => expect((await as('single', PRICE)).status).toBe(200), { timeout: 10_000 });
    expect((await as('single', PRICE)).status).toBe(200);
  });

  test('limits per address, by the last word of a trusted proxy', async () => {
    const from = async (address: string) => (await post(open.url, PRICE, { 'x-forwarded-for': address })).status;
    const seen: number[] = [];
    for (const address of ['10.0.0.1', '10.0.0.1', '10.9.9.9, 10.0.0.1', '10.0.0.2']) seen.push(await from(address));
    expect(seen).toEqual([200, 200, 429, 200]);
  });

  test('no key is in a log, a metric or the state of the gateway', async () => {
    await post(`${closed.url}main/key-app`, PRICE);
    await post(`${closed.url}main/key-wrong`, PRICE);
    for (const page of ['metrics', 'api/v1/upstreams']) {
      const text = await (await fetch(`${closed.adminUrl}/${page}`)).text();
      expect(text).not.toMatch(/key-(app|wrong)/);
    }
  });
});
