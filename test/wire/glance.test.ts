import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { configFromValue } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/schema.ts';
import { startGateway } from '../../src/gateway/gateway.ts';
import type { Gateway } from '../../src/gateway/gateway.ts';
import type { ChainStatus } from '../../src/gateway/status.ts';
import type { Logger } from '../../src/observe/log.ts';
import { ChainNode, balanceAt } from '../help/chainNode.ts';
import { hashOf } from '../help/chainView.ts';
import { RawClient, post } from '../help/raw.ts';

const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined, child: () => silent };
const A = '0x00000000000000000000000000000000000000aa';
const KEY = 'a-key-of-a-wallet';
const SHA = createHash('sha256').update(KEY).digest('hex');

let dir: string;
let node: ChainNode;
let side: ChainNode;
let gateway: Gateway;

const chainOf = (name: string, { httpUrl }: ChainNode, more: object = {}) =>
  ({ name, blockTimeMs: 600_000, health: { probeIntervalMs: 100 }, routing: { hedge: { enabled: false } }, view: { maxWaitMs: 100 }, upstreams: [{ name: `${name}-n`, http: httpUrl }], ...more });

function configOf(engine: string, { server = {}, chain = {}, access = {} }: { readonly server?: object; readonly chain?: object; readonly access?: object } = {}): Config {
  const parsed = configFromValue({
    server: { port: 0, engine, ...server },
    admin: { port: 0, tokenFile: join(dir, 'token') },
    access,
    chains: [chainOf('main', node, chain), chainOf('side', side)],
  });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.config;
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly cache: string | null;
  readonly block: string | null;
  readonly headers: Headers;
}

async function ask(body: string, { path = '', headers = {} }: { readonly path?: string; readonly headers?: Record<string, string> } = {}): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${gateway.clientPort}/${path}`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
  return { status: response.status, text: await response.text(), cache: response.headers.get('x-tidegate-cache'), block: response.headers.get('x-tidegate-block'), headers: response.headers };
}

const body = (id: string): string => `{"jsonrpc":"2.0","id":${id},"method":"eth_getBalance","params":["${A}","latest"]}`;
const good = (id: string, number = 100, branch = 'a'): string => `{"jsonrpc":"2.0","id":${id},"result":"${balanceAt(number, branch)}"}`;
const admin = (path: string, init: RequestInit = {}) => fetch(`http://127.0.0.1:${gateway.adminPort}${path}`, init);
const soon = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 10 });

/** Asks the same bytes until the cache has answered them several times over: they are known by then. */
async function warm(bytes: string): Promise<void> {
  await soon(async () => expect((await ask(bytes)).cache).toBe('hit'));
  for (let i = 0; i < 3; i++) expect((await ask(bytes)).cache).toBe('hit');
}

/** Resolves when the clients of the first chain see this block. */
const seen = (number: number, branch = 'a') => soon(async () => expect((await ask('{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber"}')).block).toBe(`${number}:${hashOf(number, branch)}`));
const balances = (): number => node.asked.filter(({ method }) => method === 'eth_getBalance').length;

async function flush(): Promise<void> {
  const token = readFileSync(join(dir, 'token'), 'utf8').trim();
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  expect((await admin('/api/v1/cache/flush', { method: 'POST', headers, body: '{}' })).status).toBe(200);
}

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'tidegate-glance-'));
  [node, side] = await Promise.all([ChainNode.start(), ChainNode.start(77)]);
});
afterEach(async () => {
  await gateway?.close(0);
  await Promise.all([node.close(), side.close()]);
  rmSync(dir, { recursive: true, force: true });
});

async function start(engine: string): Promise<void> {
  gateway = await startGateway(configOf(engine), { log: silent, version: 'test' });
  await soon(async () => {
    const chains = (await (await admin('/api/v1/upstreams')).json()) as ChainStatus[];
    expect(chains.map(({ head, upstreams }) => [head?.number, upstreams[0]?.state])).toEqual([[100, 'serving'], [77, 'serving']]);
  });
  await warm(body('1'));
}

describe.each(['uws', 'node'])('a request that was met before, engine %s', (engine) => {
  beforeEach(() => start(engine));

  it('is answered under the id that it has now, however it is written', async () => {
    for (const id of ['1', '2', '10', '0', '12345678901234567890123456789', '"a"', '"ab c"', '""', '"\\u0041"', '"é"', '"\\""', 'null', '1.5', '-1', '1e2', '1']) {
      expect(await ask(body(id))).toMatchObject({ status: 200, text: good(id), cache: 'hit' });
    }
    for (const [id, code] of [['01', -32700], ['', -32700], ['1 2', -32700], ['"a', -32700], ['[1]', -32600], ['true', -32600], ['1,"id":2', -32600]] as const) {
      const { text, cache } = await ask(body(id));
      expect([id, (JSON.parse(text) as { error: { code: number } }).error.code, cache]).toEqual([id, code, null]);
    }
    expect(await ask(body('1').replace('"id":1,', ''))).toMatchObject({ status: 204, text: '' });
  });

  it('is answered under its own id where the answer is large, to slow readers and over WebSocket too', async () => {
    const large = `0x${'ab'.repeat(400_000)}`;
    node.script = (method) => (method === 'eth_getCode' ? { result: large } : undefined);
    const code = (id: string): string => body(id).replace('eth_getBalance', 'eth_getCode');
    const due = (id: string): string => `{"jsonrpc":"2.0","id":${id},"result":"${large}"}`;
    await warm(code('1'));
    const ids = Array.from({ length: 12 }, (_, i) => `"${'c'.repeat(i)}"`);
    const answers = await Promise.all(ids.map(async (id) => {
      const reader = await RawClient.open(gateway.clientPort);
      reader.socket.pause();
      reader.write(post(code(id), ['Content-Type: application/json']));
      return { id, reader };
    }));
    // all are under way by then
    for (const plain of ['2', 'null', '"é"']) expect((await ask(code(plain), { headers: { 'accept-encoding': 'identity' } })).text).toBe(due(plain));
    expect((await ask(code('3'))).text).toBe(due('3'));
    for (const { id, reader } of answers) {
      reader.socket.resume();
      const response = await reader.response();
      expect([response?.headers['x-tidegate-cache'], response?.body.equals(Buffer.from(due(id)))]).toEqual(['hit', true]);
      reader.leave();
    }
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.clientPort}/`);
    await new Promise((resolve) => socket.once('open', resolve));
    for (const id of ['7', '7', '"x"']) {
      socket.send(code(id));
      expect(await new Promise((resolve) => socket.once('message', (message: Buffer) => resolve(message.toString() === due(id))))).toBe(true);
    }
    socket.close();
    expect((await ask(`[${code('4')},${body('5')}]`)).text).toBe(`[${due('4')},${good('5')}]`);
  });

  it('is told apart from those beside it', async () => {
    const ids = Array.from({ length: 200 }, (_, i) => String(100 + i));
    const answers = await Promise.all(ids.map((id) => ask(body(id))));
    expect(answers.map(({ text }) => text)).toEqual(ids.map((id) => good(id)));
  });

  it('is answered by another chain on its path', async () => {
    expect((await ask(body('1'), { path: 'side' })).text).toBe(good('1', 77));
    expect((await ask(body('1'), { path: 'nowhere' })).status).toBe(404);
    expect((await ask(body('1'), { path: 'main' })).text).toBe(good('1'));
  });

  it('sees the next head, and the other branch after a reorg', async () => {
    node.head = 101;
    await seen(101);
    expect(await ask(body('1'))).toMatchObject({ text: good('1', 101), block: `101:${hashOf(101, 'a')}` });
    await warm(body('1'));
    node.fork(100, 'b');
    await seen(101, 'b');
    expect(await ask(body('1'))).toMatchObject({ text: good('1', 101, 'b'), block: `101:${hashOf(101, 'b')}` });
  });

  it('goes to a node after a flush, and for a client that wants that', async () => {
    const before = balances();
    expect((await ask(body('1'), { headers: { 'cache-control': 'no-cache' } })).cache).not.toBe('hit');
    expect(balances()).toBe(before + 1);
    // at the same head, as after an operator's repair
    node.script = (method) => (method === 'eth_getBalance' ? { result: '0x9999999' } : undefined);
    await flush();
    const other = '{"jsonrpc":"2.0","id":1,"result":"0x9999999"}';
    expect(await ask(body('1'))).toMatchObject({ text: other, cache: 'miss' });
    expect(balances()).toBe(before + 2);
    await warm(body('1'));
    expect((await ask(body('1'))).text).toBe(other);
  });

  it('waits for the block that its client has seen', async () => {
    const late = { headers: { 'x-tidegate-min-block': '200' } };
    expect((await ask(body('1'), late)).text).toContain('"error"');
    expect(await ask(body('1'), { headers: { 'x-tidegate-min-block': '100' } })).toMatchObject({ text: good('1'), cache: 'hit' });
    expect((await ask(body('1'), { headers: { 'x-tidegate-min-block': 'x' } })).status).toBe(400);
  });

  it('is judged by the rules in force', async () => {
    const rules = (change: Parameters<typeof configOf>[1]) => gateway.reload(configOf(engine, change));
    const code = async (): Promise<number> => (JSON.parse((await ask(body('1'))).text) as { error: { code: number } }).error.code;
    await rules({ chain: { methods: { deny: ['eth_getBalance'] } } });
    expect(await code()).toBe(-32601);
    await rules({});
    await warm(body('1'));
    await rules({ server: { maxMethodBytes: 8 } });
    expect(await code()).toBe(-32600);
    await rules({});
    await warm(body('1'));
    await rules({ chain: { cache: { enabled: false } } });
    expect((await ask(body('1'))).cache).toBe('bypass');
    await rules({});
    await warm(body('1'));
    await rules({ chain: { cache: { methods: { eth_getBalance: { rule: 'never' } } } } });
    expect((await ask(body('1'))).cache).toBe('bypass');
    await rules({});
    await warm(body('1'));
    await rules({ access: { required: true, keys: [{ name: 'wallet', sha256: SHA, methods: { deny: ['eth_getBalance'] } }] } });
    expect((await ask(body('1'))).status).toBe(401);
    expect((await ask(body('1'), { path: KEY })).text).toContain('"error"');
    await rules({ server: { explainHeader: true } });
    await warm(body('1'));
    expect((await ask(body('1'), { headers: { 'x-tidegate-explain': '1' } })).headers.get('x-tidegate-explain')).not.toBeNull();
    expect((await ask(body('1'))).headers.get('x-tidegate-explain')).toBeNull();
  });

  it('counts as a call and as a hit', async () => {
    const count = async ([name, label]: readonly [string, string]): Promise<number> =>
      (await (await admin('/metrics')).text()).split('\n').filter((line) => line.startsWith(`tidegate_${name}{`) && line.includes('"main"') && line.includes(label)).reduce((sum, line) => sum + Number(line.split(' ')[1]), 0);
    const series = [['requests_total', '"result"'], ['method_requests_total', '"eth_getBalance"'], ['cache_hits_total', '"memory"']] as const;
    const before = await Promise.all(series.map(count));
    for (let i = 0; i < 5; i++) await ask(body(String(i)));
    expect(await Promise.all(series.map(count))).toEqual(before.map((each) => each + 5));
  });

  it('is known over WebSocket too', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${gateway.clientPort}/`);
    await new Promise((resolve) => ws.once('open', resolve));
    const ids = Array.from({ length: 50 }, (_, i) => String(10 + i));
    const said: string[] = [];
    const done = new Promise<void>((resolve) => ws.on('message', (text: Buffer) => said.push(text.toString()) === ids.length && resolve()));
    for (const id of ids) ws.send(body(id));
    await done;
    expect(said).toEqual(ids.map((id) => good(id)));
    // it came in before anybody needed a key, and goes on; what it taught is not for those who do
    await gateway.reload(configOf(engine, { access: { required: true, keys: [{ name: 'wallet', sha256: SHA, methods: { deny: ['eth_getBalance'] } }] } }));
    const more = new Promise<void>((resolve) => ws.on('message', () => said.length === 2 * ids.length && resolve()));
    for (const id of ids) ws.send(body(id));
    await more;
    expect(said.slice(ids.length)).toEqual(ids.map((id) => good(id)));
    expect((await ask(body('1'), { path: KEY })).text).toContain('-32601');
    ws.terminate();
  });
});

it('keeps its bytes while an answer before it on the connection is awaited', async () => {
  await start('node');
  let release: () => void = () => undefined;
  const held = node.hold(new Promise((resolve) => {
    release = resolve;
  }), 'eth_gasPrice');
  const post = (text: string): string => `POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
  const socket = connect(gateway.clientPort, '127.0.0.1');
  let said = '';
  const done = new Promise<void>((resolve) => socket.on('data', (data) => {
    said += data.toString();
    if (said.split('HTTP/1.1 200').length === 6) resolve();
  }));
  socket.write(post('{"jsonrpc":"2.0","id":5,"method":"eth_gasPrice","params":[]}') + ['11', '12', '13', '14'].map((id) => post(body(id))).join(''));
  await held;
  release();
  await done;
  socket.destroy();
  expect(said.match(/"id":\d+/g)).toEqual(['"id":5', '"id":11', '"id":12', '"id":13', '"id":14']);
});
