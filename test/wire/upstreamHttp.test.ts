import { afterEach, describe, expect, it } from 'vitest';
import type { HttpUpstream, HttpUpstreamOptions } from '../../src/upstream/http.ts';
import { FakeNode, httpAnswer } from '../help/fakeNode.ts';
import type { RawRequest } from '../help/fakeNode.ts';
import { ManualWorld } from '../help/time.ts';
import { call, failure, httpUpstream, QUESTION, REPLY, reply } from '../help/upstream.ts';
import type { World } from '../../src/upstream/world.ts';
import type { Socket } from 'node:net';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function startNode(answer: (socket: Socket, request: RawRequest) => void, port = 0): Promise<FakeNode> {
  const node = await FakeNode.start(answer, port);
  open.push({ close: () => node.kill() });
  return node;
}

function client(url: string, options: Partial<HttpUpstreamOptions> = {}, world?: World): HttpUpstream {
  const upstream = httpUpstream(url, options, world);
  open.push({ close: () => upstream.close(0) });
  return upstream;
}

const ok = (socket: Socket): void => void socket.write(httpAnswer('200 OK', REPLY));
const never = (): void => {};

describe('a good answer', () => {
  it('comes back byte for byte, after send returned', async () => {
    const body = '{"jsonrpc":"2.0","id":1,"result":{"b":1,"a":12345678901234567890,"c":"\u00e9"}}';
    const node = await startNode((socket) => socket.write(httpAnswer('200 OK', body)));
    const started = call(client(node.url));
    expect(started.early).toBe(false);
    expect(await reply(started)).toEqual({ status: 200, text: body, retryAfterMs: 0 });
    expect(started.endings).toHaveLength(1);
  });

  it('is asked for with POST, the path and query, the credentials and the configured headers', async () => {
    const node = await startNode(ok);
    const url = `http://us%3Aer:p%40ss@127.0.0.1:${node.port}/v3/key?token=abc`;
    await reply(call(client(url, { headers: { 'X-Api-Key': 'k', 'User-Agent': 'mine' } }), '{"a":"\u00c3\u00a9"}'));
    const request = node.requests[0];
    expect(request?.head.split('\r\n').sort()).toEqual([
      'POST /v3/key?token=abc HTTP/1.1',
      'accept-encoding: identity',
      `authorization: Basic ${Buffer.from('us:er:p@ss').toString('base64')}`,
      'connection: keep-alive',
      'content-length: 10',
      'content-type: application/json',
      `host: 127.0.0.1:${node.port}`,
      'user-agent: mine',
      'x-api-key: k',
    ]);
    expect(request?.body).toBe('{"a":"\u00c3\u00a9"}');
  });

  it('may come in many chunks', async () => {
    const node = await startNode((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      for (const char of REPLY) socket.write(`1\r\n${char}\r\n`);
      socket.write('0\r\n\r\n');
    });
    expect((await reply(call(client(node.url)))).text).toBe(REPLY);
  });

  it('may end with the connection, and the next call takes a new one', async () => {
    const node = await startNode((socket) => socket.end(`HTTP/1.1 200 OK\r\n\r\n${REPLY}`));
    const upstream = client(node.url);
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(node.sockets).toHaveLength(2);
  });

  it('is taken whatever its content type says, and over a kept connection', async () => {
    const node = await startNode((socket) => socket.write(httpAnswer('200 OK', ` \n${REPLY}`, 'content-type: text/plain\r\n')));
    const upstream = client(node.url, { connections: 1 });
    for (let i = 0; i < 5; i++) expect((await reply(call(upstream))).text).toContain(REPLY);
    expect(node.sockets).toHaveLength(1);
  });

  it('is taken from an error status when it is a JSON-RPC answer', async () => {
    const text = '{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"slow down"}}';
    const node = await startNode((socket) => socket.write(httpAnswer('429 Too Many', text, 'Retry-After: 7\r\n')));
    expect(await reply(call(client(node.url)))).toEqual({ status: 429, text, retryAfterMs: 7000 });
  });
});

describe('an answer that is none', () => {
  const cases: [what: string, status: string, body: string, headers: string, want: object][] = [
    ['429 with seconds', '429 Too Many', 'slow', 'retry-after: 3\r\n', { class: 'throttled', blame: false, holdMs: 3000 }],
    ['429 with a date', '429 Too Many', '{"message":"slow"}', `retry-after: ${new Date(1_700_000_005_000).toUTCString()}\r\n`, { class: 'throttled', holdMs: 5000 }],
    ['429 with nothing', '429 Too Many', '', '', { class: 'throttled', holdMs: 0 }],
    ['503 with HTML and a hold', '503 No', '<html>', 'retry-after: 2\r\n', { class: 'http', blame: true, holdMs: 2000 }],
    ['502 with HTML', '502 Bad', '<html>', '', { class: 'http', blame: true, detail: 'HTTP status 502 without a JSON-RPC answer' }],
    ['500 with foreign JSON', '500 No', '{"error":"boom"}', '', { class: 'http' }],
    ['401', '401 No', '{"message":"key"}', '', { class: 'auth' }],
    ['403', '403 No', 'no', '', { class: 'auth' }],
    ['413', '413 No', 'no', '', { class: 'tooLarge', blame: false }],
    ['a redirect', '307 There', '', 'location: http://127.0.0.1:1/\r\n', { class: 'http', detail: 'HTTP status 307 without a JSON-RPC answer' }],
    ['200 with HTML', '200 OK', '<html>', '', { class: 'badJson', blame: true }],
    ['200 with nothing', '200 OK', '', '', { class: 'badJson' }],
    ['200 compressed unasked', '200 OK', '{"x', 'content-encoding: gzip\r\n', { class: 'badJson' }],
  ];
  it.each(cases)('%s', async (_what, status, body, headers, want) => {
    const world = new ManualWorld();
    const node = await startNode((socket) => socket.write(httpAnswer(status, body, headers)));
    expect(await failure(call(client(node.url, {}, world)))).toMatchObject({ unsent: false, ...want });
    expect(node.requests).toHaveLength(1);
    expect(world.delays).toEqual([]);
  });

  it('is cut off at the size limit, and its connection given up', async () => {
    const node = await startNode((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n');
      for (let i = 0; i < 8; i++) socket.write(`400\r\n${'x'.repeat(1024)}\r\n`);
    });
    const upstream = client(node.url, { maxResponseBytes: 4096 });
    expect(await failure(call(upstream))).toMatchObject({ class: 'tooLarge', unsent: false, detail: 'the answer is over 4096 bytes' });
    await node.until(() => node.sockets[0]?.destroyed === true);
  });

  it('is malformed HTTP', async () => {
    const node = await startNode((socket) => socket.write('SPDY/9 hello\r\n\r\n'));
    expect(await failure(call(client(node.url)))).toMatchObject({ class: 'http', unsent: false, detail: 'malformed HTTP' });
  });
});

describe('a broken connection', () => {
  it('refused: nothing was sent', async () => {
    const node = await startNode(never);
    const url = node.url;
    await node.kill();
    const started = call(client(url));
    expect(started.early).toBe(false);
    expect(await failure(started)).toEqual({ class: 'transport', unsent: true, blame: true, holdMs: 0, detail: 'connection refused' });
  });

  it('reset before the answer: its fate is unknown', async () => {
    const node = await startNode((socket) => socket.resetAndDestroy());
    const started = call(client(node.url));
    expect(await failure(started)).toMatchObject({ class: 'transport', unsent: false, detail: 'connection reset' });
    expect(started.endings).toHaveLength(1);
    expect(node.requests).toHaveLength(1);
  });

  it.each([['content-length: 500\r\n', '{"jsonrpc"'], ['transfer-encoding: chunked\r\n', '5\r\n{"jso\r\n']])('closed in the body (%s)', async (header, part) => {
    const node = await startNode((socket) => socket.end(`HTTP/1.1 200 OK\r\n${header}\r\n${part}`));
    const started = call(client(node.url));
    expect(await failure(started)).toMatchObject({ class: 'transport', unsent: false });
    expect(started.endings).toHaveLength(1);
  });

  it('reset in the body', async () => {
    const node = await startNode((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a', () => socket.resetAndDestroy()));
    expect(await failure(call(client(node.url)))).toMatchObject({ class: 'transport', unsent: false, blame: true });
  });

  it('closed by the node between two calls: the next opens a new one and succeeds', async () => {
    const node = await startNode(ok);
    const upstream = client(node.url, { connections: 1 });
    await reply(call(upstream));
    node.sockets[0]?.end();
    await node.until(() => node.sockets[0]?.destroyed === true);
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(node.sockets).toHaveLength(2);
  });

  it('a stale kept connection that is reset on the next call counts as sent', async () => {
    let calls = 0;
    const node = await startNode((socket) => (++calls === 1 ? ok(socket) : socket.resetAndDestroy()));
    const upstream = client(node.url, { connections: 1 });
    await reply(call(upstream));
    expect(await failure(call(upstream))).toMatchObject({ class: 'transport', unsent: false });
    expect(node.requests).toHaveLength(2);
  });

  it('heals when the node comes back on its port', async () => {
    const first = await startNode(ok);
    const { port, url } = first;
    const upstream = client(url, { connections: 2 });
    await Promise.all([reply(call(upstream)), reply(call(upstream)), reply(call(upstream))]);
    await first.kill();
    const down = await Promise.all([1, 2, 3, 4, 5].map(() => failure(call(upstream))));
    expect(new Set(down.map((each) => each.class))).toEqual(new Set(['transport']));
    expect(down.at(-1)?.unsent).toBe(true);
    await startNode(ok, port);
    for (let i = 0; i < 5; i++) expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(upstream.openSockets).toBeLessThanOrEqual(2);
  });

  it('a host name that does not exist: nothing was sent, and no name is told', async () => {
    const found = await failure(call(client('http://secret-host.invalid/key')));
    expect(found).toMatchObject({ class: 'transport', unsent: true });
    expect(found.detail).toMatch(/^host name/);
  });

  it('a TLS handshake with a node that speaks none', async () => {
    const node = await startNode(never);
    const upstream = client(`https://127.0.0.1:${node.port}/key`);
    const started = call(upstream);
    await node.until(() => node.sockets.length === 1);
    node.sockets[0]?.end('HTTP/1.1 400 No\r\n\r\n');
    const found = await failure(started);
    expect(found).toMatchObject({ class: 'transport', unsent: true });
    expect(found.detail).not.toContain('127.0.0.1');
  });
});

describe('time', () => {
  it('ends the exchange exactly at its timeout, and cuts the connection', async () => {
    const world = new ManualWorld();
    const node = await startNode(never);
    const started = call(client(node.url, {}, world), QUESTION, 500);
    await node.until(() => node.requests.length === 1);
    world.advance(499.9);
    expect(started.endings).toEqual([]);
    world.advance(0.2);
    expect(await failure(started)).toEqual({ class: 'timeout', unsent: false, blame: true, holdMs: 0, detail: 'no answer in time' });
    await node.until(() => node.sockets[0]?.destroyed === true);
  });

  it('covers a body that never ends', async () => {
    const world = new ManualWorld();
    const node = await startNode((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"a'));
    const started = call(client(node.url, {}, world), QUESTION, 500);
    await node.until(() => node.requests.length === 1);
    world.advance(500);
    expect(await failure(started)).toMatchObject({ class: 'timeout', unsent: false });
  });

  it('ends a connection that is not made in connectTimeoutMs: nothing was sent', async () => {
    const world = new ManualWorld();
    const node = await startNode(never);
    const upstream = client(`https://127.0.0.1:${node.port}/`, { connectTimeoutMs: 300 }, world);
    const started = call(upstream);
    await node.until(() => node.sockets.length === 1);
    world.advance(300);
    expect(await failure(started)).toMatchObject({ class: 'transport', unsent: true, detail: 'no connection in time' });
    await node.until(() => node.sockets[0]?.destroyed === true);
    expect(world.delays).toEqual([]);
  });

  it('tells a timeout while connecting from one while answering', async () => {
    const world = new ManualWorld();
    const node = await startNode(never);
    const started = call(client(`https://127.0.0.1:${node.port}/`, {}, world), QUESTION, 100);
    world.advance(100);
    expect(await failure(started)).toMatchObject({ class: 'timeout', unsent: true, blame: true });
  });
});
