import { afterEach, describe, expect, it, vi } from 'vitest';
import { testAnvil } from '../help/anvil.ts';
import { testGateway } from '../help/gateway.ts';
import type { Fronted, TestGateway } from '../help/gateway.ts';
import { ScriptNode } from '../help/scriptNode.ts';
import { SocketNode } from '../help/socketNode.ts';
import type { Said } from '../help/socketNode.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

const SOCKETS = { reconnect: { baseMs: 10, maxMs: 40 } };

interface Both {
  readonly http: ScriptNode;
  readonly ws: SocketNode;
  readonly fronted: Fronted;
}

/** A node that answers `"http"` over HTTP and `"ws"` over WebSocket, where it keeps quiet about new heads. */
async function both(name: string, transport: string): Promise<Both> {
  const http = await ScriptNode.start(() => ({ result: '"http"' }));
  const ws = await SocketNode.start();
  open.push(http, ws);
  ws.onSaid = (said) => reply(said, said.method === 'eth_subscribe' ? '"0x1"' : '"ws"');
  return { http, ws, fronted: { name, httpUrl: http.httpUrl, wsUrl: ws.url, options: { transport, sockets: SOCKETS } } };
}

const reply = ({ socket, id }: Said, result: string): void => socket.send(`{"jsonrpc":"2.0","id":${id},"result":${result}}`);

async function front(nodes: readonly Fronted[]): Promise<TestGateway> {
  const gateway = await testGateway(nodes, { chain: { logs: { enabled: false } } });
  open.push(gateway);
  await gateway.until((upstreams) => nodes.every(({ name }) => upstreams[name]?.state === 'serving'));
  return gateway;
}

interface Answer {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number };
}

let lastId = 0;

async function ask(gateway: TestGateway, method = 'eth_getBalance', params: unknown[] = [`0x${'0'.repeat(40)}`, 'latest']): Promise<Answer> {
  const body = JSON.stringify({ jsonrpc: '2.0', id: `client ${++lastId}`, method, params });
  const response = await fetch(gateway.url, { method: 'POST', headers: { 'content-type': 'application/json', 'cache-control': 'no-cache' }, body });
  return (await response.json()) as Answer;
}

/** Asks until calls come from there. */
const untilFrom = (gateway: TestGateway, source: string): Promise<void> =>
  vi.waitFor(async () => expect((await ask(gateway)).result).toBe(source), { timeout: 10_000, interval: 5 });

const calls = (ws: SocketNode): Said[] => ws.said.filter(({ method }) => method !== 'eth_subscribe');

describe('transport: ws', () => {
  it('calls of many clients go over one connection, each answered under its own id', async () => {
    const { http, ws, fronted } = await both('a', 'ws');
    const gateway = await front([fronted]);
    await untilFrom(gateway, 'ws');
    const held: Said[] = [];
    ws.onSaid = (said) => held.push(said);
    const first = lastId + 1;
    const asked = Array.from({ length: 30 }, () => ask(gateway));
    await vi.waitFor(() => expect(held).toHaveLength(30));
    expect(new Set(held.map(({ socket }) => socket)).size).toBe(1);
    for (const said of held.reverse()) reply(said, `"${said.id}"`);
    const answers = await Promise.all(asked);
    expect(answers.map(({ id }) => id)).toEqual(answers.map((_, i) => `client ${first + i}`));
    expect(new Set(answers.map(({ result }) => result))).toEqual(new Set(held.map(({ id }) => `${id}`)));
    expect(http.calls).toEqual([]);
  });

  it('a lost connection sends its calls to another node, and this one again once it is back', async () => {
    const a = await both('a', 'ws');
    const b = await ScriptNode.start(() => ({ result: '"other"' }));
    open.push(b);
    const gateway = await front([a.fronted, { name: 'b', httpUrl: b.httpUrl, options: { weight: 1 } }]);
    await untilFrom(gateway, 'ws');
    a.ws.onSaid = ({ socket }) => socket.terminate();
    expect((await ask(gateway)).result).toBe('other');
    a.ws.onSaid = (said) => reply(said, '"ws"');
    await untilFrom(gateway, 'ws');
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/tidegate_upstream_socket_lost_total\{chain="test",upstream="a"\} [1-9]/);
  });

  it('malformed answers and those of nobody are counted and shown to no client', async () => {
    const { ws, fronted } = await both('a', 'ws');
    const gateway = await front([fronted]);
    await untilFrom(gateway, 'ws');
    ws.onSaid = (said) => {
      for (const text of ['{"jsonrpc":"2.0",', '[]', `{"jsonrpc":"2.0","id":${said.id + 9999},"result":"stranger"}`, `{"jsonrpc":"2.0","id":"${said.id}","result":"text id"}`]) said.socket.send(text);
      reply(said, '"mine"');
    };
    expect((await ask(gateway)).result).toBe('mine');
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/tidegate_upstream_strays_total\{chain="test",upstream="a"\} [4-9]/);
  });

  it('without a connection there is an error, not a wait', async () => {
    const { ws, fronted } = await both('a', 'ws');
    const gateway = await front([fronted]);
    await untilFrom(gateway, 'ws');
    await ws.close();
    await vi.waitFor(async () => expect((await ask(gateway)).error).toMatchObject({ code: expect.any(Number) as number }));
  });

  it('a real node answers over it', async () => {
    const anvil = await testAnvil();
    open.push({ close: async () => void (await anvil.stop(2_000)) });
    const url = `127.0.0.1:${anvil.port}`;
    const gateway = await front([{ name: 'a', httpUrl: `http://${url}`, wsUrl: `ws://${url}`, options: { transport: 'ws' } }]);
    await vi.waitFor(async () => expect((await ask(gateway, 'eth_chainId', [])).result).toBe('0x7a69'));
    expect((await ask(gateway, 'eth_call', [{ to: `0x${'1'.repeat(40)}`, data: '0x' }, 'latest'])).result).toBe('0x');
  });
});

describe('transport: auto', () => {
  it('light calls go over the socket, all others over HTTP', async () => {
    const { http, fronted } = await both('a', 'auto');
    const gateway = await front([fronted]);
    await untilFrom(gateway, 'ws');
    expect((await ask(gateway, 'eth_getLogs', [{ fromBlock: '0x1', toBlock: '0x2' }])).result).toBe('http');
    expect(http.calls.map(({ method }) => method)).toContain('eth_getLogs');
  });

  it('goes over HTTP while the socket is down, and back', async () => {
    const { ws, fronted } = await both('a', 'auto');
    const gateway = await front([fronted]);
    await untilFrom(gateway, 'ws');
    const { port } = ws;
    await ws.close();
    await untilFrom(gateway, 'http');
    const again = await SocketNode.start(port);
    open.push(again);
    again.onSaid = (said) => reply(said, said.method === 'eth_subscribe' ? '"0x1"' : '"ws"');
    await untilFrom(gateway, 'ws');
    expect(calls(again).length).toBeGreaterThan(0);
  });
});

describe('the configuration', () => {
  it('needs a ws for it', async () => {
    await expect(testGateway([{ name: 'a', httpUrl: 'http://127.0.0.1:1', options: { transport: 'auto' } }])).rejects.toThrow("chains[0].upstreams[0].transport: auto needs the upstream's ws");
  });
});
