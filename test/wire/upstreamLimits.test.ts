import { afterEach, describe, expect, it } from 'vitest';
import type { HttpUpstream, HttpUpstreamOptions } from '../../src/upstream/http.ts';
import type { World } from '../../src/upstream/world.ts';
import { FakeNode, httpAnswer } from '../help/fakeNode.ts';
import { ManualWorld } from '../help/time.ts';
import { call, failure, httpUpstream, QUESTION, REPLY, reply } from '../help/upstream.ts';

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

async function startNode(answering: boolean): Promise<FakeNode> {
  const node = await FakeNode.start((socket) => {
    if (answering) socket.write(httpAnswer('200 OK', REPLY));
  });
  open.push({ close: () => node.kill() });
  return node;
}

function client(url: string, options: Partial<HttpUpstreamOptions> = {}, world?: World): HttpUpstream {
  const upstream = httpUpstream(url, options, world);
  open.push({ close: () => upstream.close(0) });
  return upstream;
}

const answerAll = (node: FakeNode): void => {
  node.answer = (socket) => socket.write(httpAnswer('200 OK', REPLY));
  for (const socket of node.sockets) if (!socket.destroyed) socket.write(httpAnswer('200 OK', REPLY));
};

describe('more calls than connections', () => {
  it('never uses more connections than allowed, and answers everybody', async () => {
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 3 });
    const calls = Array.from({ length: 20 }, () => call(upstream));
    await node.until(() => node.requests.length === 3);
    expect(upstream.waiting).toBe(17);
    answerAll(node);
    for (const each of calls) expect((await reply(each)).text).toBe(REPLY);
    expect(node.sockets).toHaveLength(3);
    expect(calls.every((each) => each.endings.length === 1)).toBe(true);
  });

  it('refuses the call that is over maxWaiting, after send returned', async () => {
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1, maxWaiting: 2 });
    const calls = [call(upstream), call(upstream), call(upstream)];
    const over = call(upstream);
    expect(over.early).toBe(false);
    expect(await failure(over)).toMatchObject({ class: 'transport', unsent: true, blame: false, detail: 'too many calls wait for a connection' });
    await node.until(() => node.requests.length === 1);
    answerAll(node);
    for (const each of calls) expect((await reply(each)).text).toBe(REPLY);
  });

  it('a waiting call that times out was not sent and blames nobody', async () => {
    const world = new ManualWorld();
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1 }, world);
    const first = call(upstream, QUESTION, 1000);
    const second = call(upstream, QUESTION, 400);
    await node.until(() => node.requests.length === 1);
    world.advance(400);
    expect(await failure(second)).toMatchObject({ class: 'timeout', unsent: true, blame: false });
    expect(upstream.waiting).toBe(0);
    answerAll(node);
    await reply(first);
    expect(node.requests).toHaveLength(1);
  });

  it('a node that hangs frees its connections by the timeouts, and heals', async () => {
    const world = new ManualWorld();
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 2 }, world);
    const stuck = [call(upstream, QUESTION, 100), call(upstream, QUESTION, 100)];
    const next = call(upstream, QUESTION, 300);
    await node.until(() => node.requests.length === 2);
    world.advance(100);
    for (const each of stuck) expect(await failure(each)).toMatchObject({ class: 'timeout', unsent: false });
    await node.until(() => node.requests.length === 3);
    answerAll(node);
    await reply(next);
    await node.until(() => node.sockets.filter((socket) => !socket.destroyed).length === 1);
    expect(world.delays).toEqual([]);
  });
});

describe('cancel', () => {
  it('while it waits: it leaves the line at once and is never sent', async () => {
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1 });
    const first = call(upstream);
    const second = call(upstream, '{"never":1}');
    second.exchange.cancel();
    second.exchange.cancel();
    expect(await failure(second)).toMatchObject({ class: 'cancelled', unsent: true, blame: false });
    expect(second.endings).toHaveLength(1);
    expect(upstream.waiting).toBe(0);
    await node.until(() => node.requests.length === 1);
    answerAll(node);
    await reply(first);
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(node.requests.map((request) => request.body)).not.toContain('{"never":1}');
  });

  it('while it connects: nothing is sent, and the connection serves the next call', async () => {
    const node = await startNode(true);
    const upstream = client(node.url, { connections: 1 });
    const first = call(upstream, '{"never":1}');
    first.exchange.cancel();
    expect(await failure(first)).toMatchObject({ class: 'cancelled', unsent: true });
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(node.requests.map((request) => request.body)).toEqual([QUESTION]);
    expect(node.sockets).toHaveLength(1);
  });

  it('while the node works: the connection is cut and the next call gets its own answer', async () => {
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1 });
    const first = call(upstream);
    await node.until(() => node.requests.length === 1);
    first.exchange.cancel();
    expect(await failure(first)).toMatchObject({ class: 'cancelled', unsent: false, blame: false });
    await node.until(() => node.sockets[0]?.destroyed === true);
    answerAll(node);
    expect((await reply(call(upstream))).text).toBe(REPLY);
    expect(node.sockets).toHaveLength(2);
  });

  it('after the answer: nothing happens', async () => {
    const node = await startNode(true);
    const started = call(client(node.url));
    await reply(started);
    started.exchange.cancel();
    expect(started.endings).toHaveLength(1);
  });
});

describe('close', () => {
  it('lets what is under way and what waits finish, then closes every socket', async () => {
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1 });
    const calls = [call(upstream), call(upstream)];
    await node.until(() => node.requests.length === 1);
    const closing = upstream.close(60_000);
    const late = call(upstream);
    expect(await failure(late)).toMatchObject({ class: 'transport', blame: false, unsent: true, detail: 'closing' });
    answerAll(node);
    for (const each of calls) await reply(each);
    await closing;
    await node.until(() => node.sockets.every((socket) => socket.destroyed));
    expect(upstream.openSockets).toBe(0);
  });

  it('cuts off what is not done in graceMs, and tells everybody', async () => {
    const world = new ManualWorld();
    const node = await startNode(false);
    const upstream = client(node.url, { connections: 1 }, world);
    const calls = [call(upstream), call(upstream)];
    await node.until(() => node.requests.length === 1);
    const closing = upstream.close(200);
    world.advance(200);
    await closing;
    expect(await failure(calls[0] ?? call(upstream))).toMatchObject({ class: 'transport', blame: false, unsent: false });
    expect(await failure(calls[1] ?? call(upstream))).toMatchObject({ class: 'transport', blame: false, unsent: true });
    await node.until(() => node.sockets.every((socket) => socket.destroyed));
    expect(world.delays).toEqual([]);
  });

  it('ends a connection that is still being made', async () => {
    const node = await startNode(false);
    const upstream = client(`https://127.0.0.1:${node.port}/`, { connectTimeoutMs: 600_000 });
    const started = call(upstream);
    await node.until(() => node.sockets.length === 1);
    await upstream.close(0);
    expect(await failure(started)).toMatchObject({ class: 'transport', blame: false, unsent: true });
    await node.until(() => node.sockets[0]?.destroyed === true);
  });
});
