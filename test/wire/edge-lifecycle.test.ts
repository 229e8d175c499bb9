import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { listen } from '../../src/edge/listen.ts';
import { edgeBench, ENGINES, OPTIONS, Recorder, startEdge } from '../help/edge.ts';
import type { TestEdge } from '../help/edge.ts';
import { post, RawClient } from '../help/raw.ts';

const SILENT = { info: () => {}, error: () => {} };

/** Registers a test that only one engine can pass; the other has no such test rather than a skipped one. */
type Register = (name: string, run: () => Promise<void>) => void;

describe.each(ENGINES)('connections on %s', (engine) => {
  const onNode: Register = engine === 'node' ? it : () => undefined;
  const onUws: Register = engine === 'uws' ? it : () => undefined;
  const { open, start } = edgeBench(engine);
  /** A request that the handler holds. */
  const hold = async (edge: TestEdge, client: RawClient) => {
    edge.handler.reply = () => null;
    const index = edge.handler.seen.length;
    client.write(post('held'));
    return (await edge.handler.request(index)).whole;
  };

  it('keeps a connection over many requests', async () => {
    const { edge, client } = await open();
    for (let i = 0; i < 50; i++) {
      client.write(post(`${i}`));
      expect((await client.response())?.body.toString()).toBe(`"${i}"`);
    }
    expect(edge.server.connections()).toBe(1);
  });

  it.each(['close', 'Close', 'keep-alive, close'])('says that it closes a connection whose client asked for it: %s', async (option) => {
    const { client } = await open();
    client.write(post('hi', [`Connection: ${option}`]));
    expect(await client.response()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await client.closed;
    expect(client.leftover).toBe('');
  });

  it.each([[[]], [['Connection: keep-alive']], [['Connection: x-close']]])('does not say so otherwise: %j', async (headers) => {
    const { client } = await open();
    client.write(post('hi', headers) + post('again', headers));
    expect((await client.response())?.headers['connection']).not.toBe('close');
    expect((await client.response())?.body.toString()).toBe('"again"');
  });

  it('tells how long a connection may idle, unless it closes it', async () => {
    const { client } = await open();
    client.write(post('hi') + post('again', ['Connection: close']));
    expect((await client.response())?.headers['keep-alive']).toMatch(/^timeout=\d+$/);
    expect((await client.response())?.headers).not.toHaveProperty('keep-alive');
  });

  it('answers pipelined requests in order', async () => {
    const { client } = await open();
    client.write(Array.from({ length: 20 }, (_, i) => post(`${i}`)).join(''));
    for (let i = 0; i < 20; i++) expect((await client.response())?.body.toString()).toBe(`"${i}"`);
    expect(client.leftover).toBe('');
  });

  it('tells the handler once that the client left before the answer', async () => {
    const { edge, client } = await open();
    const held = await hold(edge, client);
    client.leave();
    await held.gone;
    expect(held.exchange?.gone).toBe(true);
    held.exchange?.answer({ status: 200, headers: [], body: 'too late' });
    expect(held.goneCount).toBe(1);
  });

  it('tells the handler once that the client left within its body', async () => {
    const { edge, client } = await open();
    client.write('POST / HTTP/1.1\r\nHost: edge\r\nContent-Length: 10\r\n\r\nhalf');
    const seen = await edge.handler.request(0);
    client.leave();
    await seen.gone;
    await edge.server.drain(0);
    expect([seen.body, seen.goneCount]).toEqual([null, 1]);
  });

  it('does not tell of a client that left after its answer', async () => {
    const { edge, client } = await open();
    client.write(post('hi'));
    await client.response();
    client.leave();
    await edge.server.drain(1000);
    expect(edge.handler.seen[0]?.goneCount).toBe(0);
  });

  it('survives a handler that throws when the client leaves', async () => {
    const { edge, client } = await open();
    const held = await hold(edge, client);
    const told = new Promise<void>((resolve) => {
      held.onGone = () => {
        resolve();
        throw new Error('a bug');
      };
    });
    client.leave();
    await told;
    edge.handler.reply = () => ({ status: 200, headers: [], body: 'ok' });
    const next = await RawClient.open(edge.server.port);
    next.write(post('hi'));
    expect((await next.response())?.body.toString()).toBe('ok');
    expect(edge.logged).toHaveLength(1);
  });

  it('closes connections over maxConnections and serves again when one is free', async () => {
    const { edge, client } = await open({ maxConnections: 2 });
    const second = await RawClient.open(edge.server.port);
    for (const one of [client, second]) {
      one.write(post('hi'));
      expect((await one.response())?.status).toBe(200);
    }
    const third = await RawClient.open(edge.server.port);
    third.write(post('hi'));
    expect(await third.response()).toBeNull();
    second.end();
    await second.closed;
    const fourth = await RawClient.open(edge.server.port);
    fourth.write(post('hi'));
    expect((await fourth.response())?.status).toBe(200);
    expect(edge.handler.seen).toHaveLength(3);
  });

  it('drains: refuses new connections, finishes what is under way, closes idle connections', async () => {
    const { edge, client } = await open();
    const idle = await RawClient.open(edge.server.port);
    idle.write(post('hi'));
    await idle.response();
    const untouched = await RawClient.open(edge.server.port);
    const held = await hold(edge, client);
    const drained = edge.server.drain(10_000);
    await expect(RawClient.open(edge.server.port)).rejects.toThrow('ECONNREFUSED');
    held.exchange?.answer({ status: 200, headers: [], body: 'finished' });
    const response = await client.response();
    expect([response?.body.toString(), response?.headers['connection']]).toEqual(['finished', 'close']);
    await drained;
    await Promise.all([client.closed, idle.closed, untouched.closed]);
    expect(held.goneCount).toBe(0);
    expect(edge.server.connections()).toBe(0);
  });

  it('drains at once when nothing is under way, and twice the same', async () => {
    const { edge, client } = await open();
    await Promise.all([edge.server.drain(60_000), edge.server.drain(60_000)]);
    await client.closed;
  });

  it('gives up what outlasts the grace time', async () => {
    const { edge, client } = await open();
    const held = await hold(edge, client);
    await edge.server.drain(50);
    await client.closed;
    await held.gone;
    expect(held.goneCount).toBe(1);
  });

  it('finishes a large answer to a slow reader before it is drained', async () => {
    const { edge, client } = await open({ gzipAboveBytes: 0 });
    const body = Buffer.alloc(10 * 1024 * 1024, 'x');
    const held = await hold(edge, client);
    client.socket.pause();
    held.exchange?.answer({ status: 200, headers: [], body });
    const drained = edge.server.drain(20_000);
    client.socket.resume();
    expect((await client.response())?.body.length).toBe(body.length);
    await drained;
  });

  // uws has a time of its own for this, 10 to 12 s.
  onNode('cuts a reader off that takes nothing', async () => {
    const { edge, client } = await open({ gzipAboveBytes: 0, bodyTimeoutMs: 200 });
    const held = await hold(edge, client);
    client.socket.pause();
    held.exchange?.answer({ status: 200, headers: [], body: Buffer.alloc(10 * 1024 * 1024) });
    await edge.server.drain(60_000);
    expect(edge.server.connections()).toBe(0);
    expect(held.goneCount).toBe(0);
  });

  onNode('closes a connection whose header does not come in time', async () => {
    const { edge, client } = await open({ bodyTimeoutMs: 200 });
    client.write('POST / HTTP/1.1\r\nHost: ');
    expect((await client.response())?.status).toBe(408);
    await client.closed;
    expect(edge.handler.seen).toHaveLength(0);
  });

  onNode('closes an idle connection after keepAliveTimeoutMs', async () => {
    const { client } = await open({ keepAliveTimeoutMs: 50 });
    client.write(post('hi'));
    expect((await client.response())?.status).toBe(200);
    await client.closed;
  });

  onNode('answers requests in order whose answers are ready in another', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => null;
    client.write(post('a') + post('b') + post('c'));
    const seen = await Promise.all([0, 1, 2].map(async (i) => (await edge.handler.request(i)).whole));
    for (const i of [2, 0, 1]) seen[i]?.exchange?.answer({ status: 200, headers: [], body: `${i}` });
    for (const i of [0, 1, 2]) expect((await client.response())?.body.toString()).toBe(`${i}`);
  });

  onNode('refuses a pipeline that is too long, after the answers before it', async () => {
    const { edge, client } = await open();
    edge.handler.reply = () => null;
    client.write(Array.from({ length: 70 }, (_, i) => post(`${i}`)).join(''));
    const seen = await Promise.all(Array.from({ length: 64 }, async (_, i) => (await edge.handler.request(i)).whole));
    for (const { exchange, body } of seen) exchange?.answer({ status: 200, headers: [], body: body ?? '' });
    const all = await client.responses();
    expect(all.map(({ status }) => status)).toEqual([...Array.from({ length: 64 }, () => 200), 503]);
    expect(edge.handler.seen).toHaveLength(64);
  });

  onUws('closes a connection that sends on before its answer is ready, and tells the handler', async () => {
    const { edge, client } = await open();
    const held = await hold(edge, client);
    client.write(post('impatient'));
    expect(await client.response()).toBeNull();
    await held.gone;
    expect(edge.handler.bodies).toEqual(['held']);
  });

  it('listens on a free port, and on IPv6', async () => {
    const edge = await start({ host: '::1' });
    expect(edge.server.engine).toBe(engine);
    expect(edge.server.port).toBeGreaterThan(0);
    const client = await RawClient.open(edge.server.port, '::1');
    client.write(post('hi'));
    expect((await client.response())?.status).toBe(200);
    expect(edge.handler.seen[0]?.remoteAddress.replaceAll(/\b0+(?=\w)/g, '')).toMatch(/^(::1|0:0:0:0:0:0:0:1)$/);
  });

  it('folds IPv4 peers of an IPv6 socket to IPv4', async () => {
    const { edge, client } = await open({ host: '::' });
    client.write(post('hi'));
    await client.response();
    expect(edge.handler.seen[0]?.remoteAddress).toBe('127.0.0.1');
  });

  it('refuses a port that another server has, naming it', async () => {
    const { edge } = await open();
    await expect(startEdge(engine, { port: edge.server.port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${edge.server.port}: the port is in use`,
    );
    const plain = createServer();
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const { port } = plain.address() as AddressInfo;
    await expect(startEdge(engine, { port })).rejects.toThrow(`127.0.0.1:${port}: the port is in use`);
    await new Promise((resolve) => plain.close(resolve));
    const now = await startEdge(engine, { port });
    expect(now.server.port).toBe(port);
    await now.server.drain(0);
  });

  it('refuses an address that the machine does not have', async () => {
    await expect(listen({ ...OPTIONS, engine, host: '192.0.2.1' }, new Recorder(), SILENT)).rejects.toThrow(
      'cannot listen on 192.0.2.1:0: this machine has no such address',
    );
  });
});
