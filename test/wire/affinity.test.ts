import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const FILTER = '{"jsonrpc":"2.0","id":1,"method":"eth_getFilterChanges","params":["0x1"]}';
const NAMES = ['one', 'two', 'three'];
const KEYS = Array.from({ length: 24 }, (_, i) => `key-${i}`);

/** Whose call it is: an address of this machine's own to call from, and what a proxy says of the client. */
interface Caller {
  readonly from?: string;
  readonly forwarded?: string;
  /** Its key. */
  readonly key?: string;
}

function post(url: string, body: string, { from = '127.0.0.1', forwarded = '', key = '' }: Caller): Promise<string> {
  const headers = { 'content-type': 'application/json', ...(forwarded === '' ? {} : { 'x-forwarded-for': forwarded }), ...(key === '' ? {} : { 'x-api-key': key }) };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', localAddress: from, agent: false, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(String(response.headers['x-tidegate-upstream'])));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

describe.each(['uws', 'node'] as const)('affinity by client on %s', (engine) => {
  let nodes: ScriptNode[] = [];
  let direct: TestGateway;
  let behindProxy: TestGateway;
  let keyed: TestGateway;

  beforeAll(async () => {
    nodes = await Promise.all(NAMES.map(() => ScriptNode.start(() => ({ result: '[]' }))));
    const fronted = nodes.map((node, i) => ({ name: NAMES[i] as string, httpUrl: node.httpUrl }));
    const chain = { name: 'main', chainId: 1, logs: { filters: { enabled: false } } };
    direct = await testGateway(fronted, { engine, chain });
    behindProxy = await testGateway(fronted, { engine, chain, server: { trustedProxies: ['127.0.0.1/32'] } });
    keyed = await testGateway(fronted, { engine, chain, access: { keys: KEYS.map((key) => ({ name: `name-${key}`, sha256: createHash('sha256').update(key).digest('hex') })) } });
    await Promise.all([direct, behindProxy, keyed].map((gateway) => gateway.until((upstreams) => serve(upstreams, NAMES))));
  });
  afterAll(async () => {
    await Promise.all([direct, behindProxy, keyed].map((gateway) => gateway?.close()));
    await Promise.all(nodes.map((node) => node.close()));
  });

  /** The nodes that served each of these callers over several connections. */
  const servers = async (gateway: TestGateway, callers: readonly Caller[]): Promise<string[][]> => {
    const all = await Promise.all(callers.map((caller) => Promise.all([1, 2, 3, 4].map(() => post(gateway.url, FILTER, caller)))));
    return all.map((names) => [...new Set(names)]);
  };
  const hosts = Array.from({ length: 24 }, (_, i) => i + 2);

  test('filter calls of a peer stay on one node, those of many peers spread', async () => {
    const served = await servers(direct, hosts.map((host) => ({ from: `127.0.0.${host}` })));
    expect(served.map((names) => names.length)).toEqual(hosts.map(() => 1));
    expect(new Set(served.flat()).size).toBeGreaterThan(1);
  });

  test('behind a trusted proxy the client that it names counts', async () => {
    const served = await servers(behindProxy, hosts.map((host) => ({ forwarded: `203.0.113.${host}` })));
    expect(served.map((names) => names.length)).toEqual(hosts.map(() => 1));
    expect(new Set(served.flat()).size).toBeGreaterThan(1);
  });

  test('the name of a key counts before the address', async () => {
    const served = await servers(keyed, KEYS.map((key) => ({ key })));
    expect(served.map((names) => names.length)).toEqual(KEYS.map(() => 1));
    expect(new Set(served.flat()).size).toBeGreaterThan(1);
    const [key] = KEYS as [string];
    const elsewhere = await servers(keyed, hosts.map((host) => ({ key, from: `127.0.0.${host}` })));
    expect(new Set(elsewhere.flat())).toEqual(new Set(served[0]));
  });

  test('without trusted proxies the word of a client does not count', async () => {
    const served = await servers(direct, hosts.map((host) => ({ forwarded: `203.0.113.${host}` })));
    expect(new Set(served.flat()).size).toBe(1);
  });

  test('the filter calls of a batch stay on that node too', async () => {
    const from = '127.0.0.9';
    const [[home]] = (await servers(direct, [{ from }])) as [[string]];
    for (const node of nodes) node.calls.length = 0;
    await post(direct.url, `[${FILTER},${FILTER},${FILTER}]`, { from });
    expect(nodes.map((node) => node.calls.length)).toEqual(NAMES.map((name) => (name === home ? 3 : 0)));
  });
});
