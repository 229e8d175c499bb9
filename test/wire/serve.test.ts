import { keccak256 } from 'ethers';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';

const CALL = '"jsonrpc":"2.0","method":"eth_getBalance","params":["0x00000000000000000000000000000000000000aa","latest"]';

describe.each(['uws', 'node'] as const)('JSON-RPC over HTTP, engine %s', (engine) => {
  let one: ScriptNode;
  let two: ScriptNode;
  let gateway: TestGateway;
  const both = (): ScriptNode[] => [one, two];

  beforeAll(async () => {
    one = await ScriptNode.start(() => ({ result: '"0x1"' }));
    two = await ScriptNode.start(() => ({ result: '"0x1"' }));
    const nodes = [{ name: 'one', httpUrl: one.httpUrl }, { name: 'two', httpUrl: two.httpUrl }];
    gateway = await testGateway(nodes, { engine, chain: { name: 'main', chainId: 1, routing: { hedge: { enabled: false } }, logs: { filters: { enabled: false } } } });
    await gateway.until((upstreams) => Object.values(upstreams).every((upstream) => upstream.state === 'serving'));
  });
  afterEach(() => {
    for (const node of both()) {
      node.say = () => ({ result: '"0x1"' });
      node.calls.length = 0;
    }
  });
  afterAll(async () => {
    await gateway?.close();
    await Promise.all(both().map((node) => node.close()));
  });

  const post = async (body: string, path = ''): Promise<{ status: number; text: string; headers: Headers }> => {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    return { status: response.status, text: await response.text(), headers: response.headers };
  };
  const allCalls = () => both().flatMap((node) => node.calls);

  test.each(['1', '-1', '0', '1.5', '1e3', '9007199254740993', '"a\\u0041\\"\\n"', '""', 'null', '"é€"'])('id %s comes back byte for byte', async (id) => {
    const { status, text } = await post(`{${CALL},"id":${id}}`);
    expect({ status, text }).toEqual({ status: 200, text: `{"jsonrpc":"2.0","id":${id},"result":"0x1"}` });
  });

  test('a result keeps the bytes of the node', async () => {
    const result = '{"z":1,  "a":9007199254740993,"é":"\\u00e9","unknown":[1.0,-0,1E400]}';
    for (const node of both()) node.say = () => ({ result });
    expect((await post(`{${CALL},"id":1}`)).text).toBe(`{"jsonrpc":"2.0","id":1,"result":${result}}`);
  });

  test('what goes upstream is the own envelope, with the params untouched but for the block that latest stands for', async () => {
    const params = '[ {"to":"0x00000000000000000000000000000000000000aa","data":"0x","extra": 1.0} , "latest"]';
    await post(`{"method":"eth_call","extra":{"x":1},"id":"secret-id","params":${params},"jsonrpc":"2.0"}`);
    const [call] = allCalls();
    expect(call?.raw).toBe(`{"jsonrpc":"2.0","id":${call?.id},"method":"eth_call","params":${params.replace('latest', '0x64')}}`);
  });

  test('absent params, params by name and the path of the chain', async () => {
    expect((await post('{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice"}', 'main')).text).toContain('"result":"0x1"');
    expect(allCalls().map((call) => call.params)).toEqual([[]]);
    expect((await post('{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":{"a":1}}', 'evm/1')).text).toContain('"result":"0x1"');
    // which node gets which is the key's affair
    expect(allCalls().map((call) => JSON.stringify(call.params)).sort()).toEqual(['[]', '{"a":1}']);
  });

  test.each([
    ['not JSON', '{', 400, -32700],
    ['trailing bytes', `{${CALL},"id":1} x`, 400, -32700],
    ['an empty body', '', 400, -32700],
    ['an empty batch', '[]', 400, -32600],
    ['a scalar', '1', 400, -32600],
    ['a method twice', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"admin_peers"}', 400, -32600],
    ['a method in another case', '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","Method":"admin_peers"}', 400, -32600],
    ['a guarded method', '{"jsonrpc":"2.0","id":1,"method":"admin_peers"}', 200, -32601],
    ['a key-holding method', '{"jsonrpc":"2.0","id":1,"method":"eth_sendTransaction","params":[{}]}', 200, -32601],
    ['a dev method', '{"jsonrpc":"2.0","id":1,"method":"anvil_mine"}', 200, -32601],
  ])('refuses %s', async (_name, body, status, code) => {
    const answer = await post(body);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toMatchObject({ jsonrpc: '2.0', error: { code } });
    expect(allCalls()).toEqual([]);
  });

  test('refuses invalid UTF-8', async () => {
    const body = Buffer.from(`{${CALL},"id":"\xff"}`, 'latin1');
    const response = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ id: null, error: { code: -32700 } });
  });

  test('an unknown path is 404, another HTTP method 405', async () => {
    expect((await post(`{${CALL},"id":1}`, 'nowhere')).status).toBe(404);
    expect((await fetch(gateway.url)).status).toBe(405);
  });

  test('a notification is 204 and still reaches a node', async () => {
    expect(await post(`{${CALL}}`)).toMatchObject({ status: 204, text: '' });
    expect(allCalls()).toHaveLength(1);
  });

  test('a mixed batch is answered in order, without its notifications', async () => {
    const { status, text } = await post(`[{${CALL},"id":1},{${CALL}},{"id":7},[],3,{"jsonrpc":"2.0","id":"x","method":"admin_peers"}]`);
    expect(status).toBe(200);
    const answers = JSON.parse(text) as { id: unknown; result?: string; error?: { code: number } }[];
    expect(answers.map((answer) => [answer.id, answer.result ?? answer.error?.code])).toEqual([[1, '0x1'], [7, -32600], [null, -32600], [null, -32600], ['x', -32601]]);
  });

  test('only notifications: 204', async () => {
    expect(await post(`[{${CALL}},{${CALL}}]`)).toMatchObject({ status: 204, text: '' });
  });

  test('a revert is the answer, asked once, with its bytes', async () => {
    const error = '{"code":3,"message":"execution reverted: no","data":"0x08c379a0"}';
    for (const node of both()) node.say = () => ({ error });
    const { status, text } = await post(`{${CALL},"id":1}`);
    expect({ status, text }).toEqual({ status: 200, text: `{"jsonrpc":"2.0","id":1,"error":${error}}` });
    expect(allCalls()).toHaveLength(1);
  });

  test.each([
    ['garbage', { body: '<html>' }],
    ['half a body', { body: '{"jsonrpc":"2.0","id":1,"resu' }],
    ['another id', { body: '{"jsonrpc":"2.0","id":999999,"result":"0xbad"}' }],
    ['an internal error of the node', { error: '{"code":-32000,"message":"missing trie node 00 (path ) at http://10.1.2.3:8545/KEY"}' }],
    ['HTTP 502', { body: 'bad gateway', status: 502 }],
  ] as const)('%s from one node is answered by the other', async (_name, said) => {
    let first = true;
    for (const node of both()) {
      node.say = () => {
        const now = first;
        first = false;
        return now ? said : { result: '"0x2"' };
      };
    }
    expect((await post(`{${CALL},"id":1}`)).text).toBe('{"jsonrpc":"2.0","id":1,"result":"0x2"}');
    expect(allCalls()).toHaveLength(2);
  });

  test('nothing of a node shows in an error', async () => {
    for (const node of both()) node.say = () => ({ error: '{"code":-32000,"message":"missing trie node, see http://user:pw@10.1.2.3:8545/v2/0123456789abcdef0123456789abcdef"}' });
    const { text } = await post(`{${CALL},"id":1}`);
    expect(text).toContain('"error"');
    expect(text).not.toMatch(/10\.1\.2\.3|pw|0123456789abcdef/);
  });

  test('a call that must not run twice is sent once', async () => {
    for (const node of both()) node.say = () => ({ body: 'cut', status: 502 });
    const { status, text } = await post('{"jsonrpc":"2.0","id":1,"method":"eth_newBlockFilter","params":[]}');
    expect(status).toBe(503);
    expect(JSON.parse(text)).toMatchObject({ error: { code: -32000, message: expect.stringContaining('not sent twice') } });
    expect(allCalls()).toHaveLength(1);
  });

  test('a transaction that the node has already is a success with its hash', async () => {
    for (const node of both()) node.say = () => ({ error: '{"code":-32000,"message":"already known"}' });
    const raw = '0x02c0';
    const { status, text } = await post(`{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["${raw}"]}`);
    expect({ status, text }).toEqual({ status: 200, text: `{"jsonrpc":"2.0","id":1,"result":"${keccak256(raw)}"}` });
  });

  test('the same call goes to the same node, which is named', async () => {
    const names = new Set<string | null>();
    for (let i = 0; i < 8; i++) names.add((await post(`{${CALL},"id":${i}}`)).headers.get('x-tidegate-upstream'));
    expect(names.size).toBe(1);
  });

  test('a client that leaves stops the work upstream', async () => {
    for (const node of both()) node.say = () => 'hang';
    const cutBefore = one.cut + two.cut;
    const leaving = new AbortController();
    const response = fetch(gateway.url, { method: 'POST', body: `{${CALL},"id":1}`, headers: { 'content-type': 'application/json' }, signal: leaving.signal }).catch(() => 'left');
    await expect.poll(() => allCalls().length).toBe(1);
    leaving.abort();
    expect(await response).toBe('left');
    await expect.poll(() => one.cut + two.cut).toBe(cutBefore + 1);
  });
});
