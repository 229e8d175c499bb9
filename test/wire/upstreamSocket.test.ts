import { afterEach, describe, expect, it, vi } from 'vitest';
import { requestEnvelope } from '../../src/rpc/envelope.ts';
import { RpcSocket } from '../../src/upstream/socket.ts';
import type { RpcSocketOptions } from '../../src/upstream/socket.ts';
import type { Exchange } from '../../src/upstream/port.ts';
import { testAnvil } from '../help/anvil.ts';
import { SocketNode } from '../help/socketNode.ts';
import { ManualWorld, realWorld } from '../help/time.ts';

const open: { close(): Promise<void> | void }[] = [];

afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each.close();
});

interface Bench {
  readonly socket: RpcSocket;
  /** Everything that the listener was told. */
  readonly told: string[];
  until(line: string): Promise<void>;
}

function connect(url: string, options: Partial<RpcSocketOptions> = {}, world: Pick<ManualWorld, 'timers'> = realWorld): Bench {
  const told: string[] = [];
  const socket = new RpcSocket(
    { url, headers: {}, readyTimeoutMs: 2_000, maxPayloadBytes: 65_536, backoff: { baseMs: 10, maxMs: 40 }, maxInFlight: 100, ...options },
    { timers: world.timers, random: () => 0.5, quietMs: () => 1_000 },
    {
      onUp: () => told.push('up'),
      onDown: (reason) => told.push(`down: ${reason}`),
      onNotice: (notice, message) => told.push(`notice ${notice.subscriptionRaw} ${message.toString('utf8', notice.start, notice.end)}`),
      onStray: (detail) => told.push(`stray: ${detail}`),
    },
  );
  open.push(socket);
  socket.start();
  return { socket, told, until: (line) => vi.waitFor(() => expect(told).toContain(line), { timeout: 10_000, interval: 2 }) };
}

interface Sent {
  readonly exchange: Exchange;
  readonly endings: string[];
  readonly done: Promise<string>;
}

function ask(socket: RpcSocket, id: number, method = 'eth_chainId', paramsRaw = '[]'): Sent {
  const endings: string[] = [];
  let finish: (text: string) => void = () => undefined;
  const done = new Promise<string>((resolve) => {
    finish = resolve;
  });
  const end = (text: string): void => {
    endings.push(text);
    finish(text);
  };
  const exchange = socket.call(requestEnvelope(id, method, paramsRaw), {
    id,
    method: 0,
    hash: 0,
    streamAboveBytes: Number.POSITIVE_INFINITY,
    onLarge: () => null,
    batchable: true,
    onReply: () => end('reply'),
    onEntry: (body, entry) => end(entry.kind === 'bad' ? 'bad' : body.toString('utf8', entry.start, entry.end)),
    onFailure: (outcome, detail) => end(`${outcome.class}${outcome.unsent ? ' unsent' : ''}${outcome.blame ? ' blamed' : ''}: ${detail}`),
  });
  return { exchange, endings, done };
}

async function fakeNode(): Promise<SocketNode> {
  const node = await SocketNode.start();
  open.push(node);
  return node;
}

const answer = (id: unknown, result: string): string => `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}`;

describe('RpcSocket', () => {
  it('matches answers to calls by id, in whatever order they come', async () => {
    const node = await fakeNode();
    const { socket, until, told } = connect(node.url);
    await until('up');
    const calls = [11, 12, 13].map((id) => ask(socket, id));
    for (const { id, socket: peer } of [...(await node.heard(3))].reverse()) peer.send(answer(id, `"r${id}"`));
    expect(await Promise.all(calls.map(({ done }) => done))).toEqual(['"r11"', '"r12"', '"r13"']);
    expect([socket.inFlight, told]).toEqual([0, ['up']]);
  });

  it('sends the bytes of a call as they are', async () => {
    const node = await fakeNode();
    const { socket, until } = connect(node.url);
    await until('up');
    ask(socket, 1, 'eth_call', Buffer.from('["é€"]', 'utf8').toString('latin1'));
    expect((await node.heard(1))[0]?.text).toBe('{"jsonrpc":"2.0","id":1,"method":"eth_call","params":["é€"]}');
  });

  it('leaves out and counts what answers nobody, and what is no answer', async () => {
    const node = await fakeNode();
    const { socket, told, until } = connect(node.url);
    await until('up');
    const call = ask(socket, 5);
    const peer = (await node.heard(1))[0]?.socket;
    for (const text of [answer(6, '1'), answer('5', '1'), answer(null, '1'), 'hello', '{"jsonrpc":"2.0","id":5}', answer(5, '2'), answer(5, '3')]) peer?.send(text);
    peer?.send(Buffer.from([1, 2, 3]));
    expect(await call.done).toBe('2');
    await until('stray: a binary message');
    expect(told.filter((line) => line === 'stray: an answer that nobody waits for')).toHaveLength(4);
    expect(told.filter((line) => line.startsWith('stray'))).toHaveLength(7);
    expect(call.endings).toEqual(['2']);
  });

  it('hands on notices with their own bytes', async () => {
    const node = await fakeNode();
    const { until } = connect(node.url);
    await until('up');
    await vi.waitFor(() => expect(node.sockets).toHaveLength(1));
    node.sockets[0]?.send('{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x9","result":{"b": 1}}}');
    await until('notice "0x9" {"b": 1}');
  });

  it('a call that is cancelled is over at once, its late answer is nobody\'s', async () => {
    const node = await fakeNode();
    const { socket, until } = connect(node.url);
    await until('up');
    const call = ask(socket, 1);
    const peer = (await node.heard(1))[0]?.socket;
    call.exchange.cancel();
    call.exchange.cancel();
    expect([call.endings, socket.inFlight]).toEqual([['cancelled: cancelled'], 0]);
    peer?.send(answer(1, '1'));
    await until('stray: an answer that nobody waits for');
    expect(call.endings).toHaveLength(1);
  });

  it('fails its calls when the connection is lost, and connects again', async () => {
    const node = await fakeNode();
    const { socket, told, until } = connect(node.url);
    await until('up');
    const call = ask(socket, 1);
    (await node.heard(1))[0]?.socket.terminate();
    expect(await call.done).toBe('transport blamed: connection lost: closed by the node (1006)');
    await vi.waitFor(() => expect(told.filter((line) => line === 'up')).toHaveLength(2));
    const again = ask(socket, 2);
    (await node.heard(2))[1]?.socket.send(answer(2, '"back"'));
    expect(await again.done).toBe('"back"');
  });

  it('refuses calls while it is not connected, and without blame beyond its cap', async () => {
    const node = await fakeNode();
    const { socket, until } = connect(node.url, { maxInFlight: 2 });
    const early = ask(socket, 1);
    expect(early.endings).toEqual([]);
    expect(await early.done).toBe('transport unsent blamed: the socket is not connected');
    await until('up');
    ask(socket, 2);
    ask(socket, 3);
    expect(socket.free).toBe(false);
    expect(await ask(socket, 4).done).toBe('transport unsent: too many calls on the socket');
  });

  it('one that is refused and cancelled ends once, and harms no other of its id', async () => {
    const node = await fakeNode();
    const { socket, until } = connect(node.url);
    await until('up');
    const first = ask(socket, 1);
    const twin = ask(socket, 1);
    twin.exchange.cancel();
    (await node.heard(1))[0]?.socket.send(answer(1, '1'));
    expect(await first.done).toBe('1');
    expect(twin.endings).toHaveLength(1);
  });

  it('a message over the limit ends the connection', async () => {
    const node = await fakeNode();
    const { socket, until } = connect(node.url, { maxPayloadBytes: 100 });
    await until('up');
    const call = ask(socket, 1);
    (await node.heard(1))[0]?.socket.send(answer(1, `"${'x'.repeat(200)}"`));
    expect(await call.done).toMatch(/^transport blamed: connection lost: bad WebSocket frame/);
  });

  it('gives a silent connection up when a ping brings nothing', async () => {
    const node = await fakeNode();
    const world = new ManualWorld();
    const { socket, told, until } = connect(node.url, {}, world);
    await until('up');
    await vi.waitFor(() => expect(node.sockets).toHaveLength(1));
    node.sockets[0]?.pause();
    const call = ask(socket, 1);
    world.advance(3_000);
    expect(told).toContain('down: silent although pinged');
    expect(await call.done).toBe('transport blamed: connection lost: silent although pinged');
  });

  it('close fails what is under way and tells nothing more', async () => {
    const node = await fakeNode();
    const { socket, told, until } = connect(node.url);
    await until('up');
    const call = ask(socket, 1);
    await node.heard(1);
    socket.close();
    expect(await call.done).toBe('transport: closing');
    expect([socket.live, told]).toEqual([false, ['up']]);
  });

  it('talks to a real node: calls and new heads on one connection', async () => {
    const anvil = await testAnvil();
    open.push({ close: async () => void (await anvil.stop(2_000)) });
    const { socket, told, until } = connect(`ws://127.0.0.1:${anvil.port}`);
    await until('up');
    expect(await ask(socket, 1).done).toBe('"0x7a69"');
    const subscription = await ask(socket, 2, 'eth_subscribe', '["newHeads"]').done;
    expect(await ask(socket, 3, 'evm_mine').done).toBe('"0x0"');
    await vi.waitFor(() => expect(told.some((line) => line.startsWith(`notice ${subscription} {`))).toBe(true));
  });
});
