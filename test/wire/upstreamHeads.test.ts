import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import type { Head } from '../../src/chain/head.ts';
import { HeadSocket } from '../../src/upstream/heads.ts';
import type { HeadListener, HeadSocketOptions } from '../../src/upstream/heads.ts';
import { testAnvil } from '../help/anvil.ts';
import { rpc } from '../help/client.ts';
import { ManualWorld, realWorld } from '../help/time.ts';

const open: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Collects what happens and lets a test wait for it. */
class Diary implements HeadListener {
  readonly lines: string[] = [];
  readonly heads: Head[] = [];
  readonly #watchers = new Set<() => void>();

  onUp(): void { this.write('up'); }
  onDown(reason: string): void { this.write(`down: ${reason}`); }
  onMalformed(detail: string): void { this.write(`malformed: ${detail}`); }
  onHead(head: Head): void {
    this.heads.push(head);
    this.write(`head ${head.number}`);
  }

  write(line: string): void {
    this.lines.push(line);
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }

  async until(line: string, times = 1): Promise<void> {
    while (this.lines.filter((each) => each === line).length < times) {
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }
}

interface FakeSubscriber {
  readonly url: string;
  readonly sockets: WebSocket[];
  readonly headers: IncomingHttpHeaders[];
  readonly diary: Diary;
}

/** A node that speaks WebSocket; `onMessage` answers each frame. */
async function fakeSubscriber(onMessage: (socket: WebSocket, text: string) => void, autoPong = true): Promise<FakeSubscriber> {
  const server = createServer();
  const sockets: WebSocket[] = [];
  const headers: IncomingHttpHeaders[] = [];
  const diary = new Diary();
  const wss = new WebSocketServer({ server, autoPong });
  wss.on('connection', (socket, request) => {
    sockets.push(socket);
    headers.push(request.headers);
    socket.on('error', () => {});
    socket.on('ping', () => diary.write('ping'));
    socket.on('close', () => diary.write('closed'));
    socket.on('message', (data) => onMessage(socket, String(data)));
    diary.write('connection');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(() => new Promise((resolve) => {
    for (const socket of wss.clients) socket.terminate();
    wss.close();
    server.closeAllConnections();
    server.close(() => resolve());
  }));
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`, sockets, headers, diary };
}

const ack = (socket: WebSocket): void => socket.send('{"jsonrpc":"2.0","id":1,"result":"0xabc"}');
const hash = (digit: string): string => `0x${digit.repeat(64)}`;
const notice = (result: object, subscription = '0xabc'): string =>
  JSON.stringify({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } });
const header = (number: number): object =>
  ({ number: `0x${number.toString(16)}`, hash: hash('A'), parentHash: hash('b'), timestamp: '0x65', gasLimit: '0x1' });

interface Watched {
  readonly diary: Diary;
  readonly socket: HeadSocket;
  readonly world: ManualWorld;
}

function watch(url: string, options: Partial<HeadSocketOptions> = {}, blockTimeMs = 4000): Watched {
  const diary = new Diary();
  const world = new ManualWorld();
  const socket = new HeadSocket(
    { url, headers: {}, readyTimeoutMs: 1000, maxPayloadBytes: 4096, backoff: { baseMs: 100, maxMs: 1000 }, ...options },
    { timers: world.timers, random: () => 0.5, blockTimeMs: () => blockTimeMs },
    diary,
  );
  open.push(() => socket.close());
  socket.start();
  return { diary, socket, world };
}

describe('HeadSocket', () => {
  it('subscribes with its credentials and tells each head', async () => {
    const asked: string[] = [];
    const node = await fakeSubscriber((socket, text) => {
      asked.push(text);
      ack(socket);
      socket.send(notice(header(7)));
      socket.send(notice(header(8)));
    });
    const { diary, socket } = watch(node.url.replace('//', '//us:pw@'), { headers: { 'X-Key': 'k' } });
    await diary.until('head 8');
    expect(diary.lines).toEqual(['up', 'head 7', 'head 8']);
    expect(diary.heads[0]).toEqual({ number: 7, hash: hash('a'), parentHash: hash('b'), timestampS: 0x65 });
    expect(socket.live).toBe(true);
    expect(asked).toEqual(['{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}']);
    expect(node.headers[0]).toMatchObject({ 'x-key': 'k', authorization: `Basic ${Buffer.from('us:pw').toString('base64')}` });
  });

  it('leaves out what is no head, says so, and lives on', async () => {
    const node = await fakeSubscriber((socket) => {
      ack(socket);
      for (const text of ['not json', '[]', 'null', '{"method":"eth_subscription"}', notice(header(1), '0xother'),
        notice({ ...header(1), number: '0xzz' }), notice({ ...header(1), hash: '0x1' }), notice({ ...header(1), parentHash: 1 }),
        notice({ ...header(1), timestamp: null }), notice([]), '{"jsonrpc":"2.0","id":1,"result":"0xdef"}']) socket.send(text);
      socket.send(Buffer.from([1, 2, 3]));
      socket.send(notice(header(2)));
    });
    const { diary } = watch(node.url);
    await diary.until('head 2');
    expect(diary.lines.filter((line) => line.startsWith('malformed'))).toHaveLength(12);
    expect(diary.lines.filter((line) => line.startsWith('head'))).toEqual(['head 2']);
    expect(diary.lines.join()).not.toContain('down');
  });

  it('comes back after each loss, waits longer each time, and starts over after a head', async () => {
    let good = false;
    const node = await fakeSubscriber((socket) => {
      if (good) {
        ack(socket);
        socket.send(notice(header(1)));
      } else {
        socket.terminate();
      }
    });
    const { diary, world, socket } = watch(node.url);
    const waits: number[] = [];
    for (let i = 1; i <= 5; i++) {
      await diary.until('down: closed by the node (1006)', i);
      expect(world.delays).toHaveLength(1);
      waits.push(world.delays[0] ?? 0);
      good = i === 5;
      world.advance(world.delays[0] ?? 0);
    }
    expect(waits).toEqual([75, 150, 300, 600, 750]);
    await diary.until('head 1');
    node.sockets.at(-1)?.terminate();
    await diary.until('down: closed by the node (1006)', 6);
    expect(socket.live).toBe(false);
    expect(world.delays).toEqual([75]);
  });

  it('notices a half-open connection within 1.5 block times', async () => {
    const node = await fakeSubscriber(ack, false);
    const { diary, world } = watch(node.url);
    await diary.until('up');
    world.advance(2000);
    world.advance(2000);
    await node.diary.until('ping');
    expect(diary.lines).toEqual(['up']);
    world.advance(2000);
    expect(diary.lines).toEqual(['up', 'down: silent although pinged']);
    await node.diary.until('closed');
  });

  it('keeps a silent node that answers pings, and does not ping one that talks', async () => {
    const node = await fakeSubscriber(ack);
    const { diary, world } = watch(node.url);
    await diary.until('up');
    node.sockets[0]?.send(notice(header(1)));
    await diary.until('head 1');
    world.advance(2000);
    for (let i = 1; i <= 3; i++) {
      world.advance(2000);
      await node.diary.until('ping', i);
      // The pong leaves before this frame does, on the same connection.
      node.sockets[0]?.send(notice(header(1 + i)));
      await diary.until(`head ${1 + i}`);
      world.advance(2000);
    }
    expect(node.diary.lines.filter((line) => line === 'ping')).toHaveLength(3);
    expect(diary.lines.join()).not.toContain('down');
  });

  it('gives up a node that never acknowledges', async () => {
    const node = await fakeSubscriber(() => {});
    const { diary, world } = watch(node.url);
    await node.diary.until('connection');
    world.advance(1000);
    expect(diary.lines).toEqual(['down: not ready in time']);
    await node.diary.until('closed');
  });

  it.each([
    ['{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"https://secret"}}', 'down: subscription refused: error -32601'],
    ['{"jsonrpc":"2.0","id":1,"result":5}', 'down: subscription refused: its id is no text'],
  ])('says why a subscription was refused: %s', async (text, line) => {
    const node = await fakeSubscriber((socket) => socket.send(text));
    const { diary } = watch(node.url);
    await diary.until(line);
  });

  it('ends a connection over the size limit', async () => {
    const node = await fakeSubscriber((socket) => {
      ack(socket);
      socket.send('x'.repeat(5000));
    });
    const { diary } = watch(node.url);
    await diary.until('down: bad WebSocket frame (WS_ERR_UNSUPPORTED_MESSAGE_LENGTH)');
  });

  it('names a refusal of the upgrade and a refused connection, without the URL', async () => {
    const server = createServer((_request, response) => response.writeHead(403).end());
    server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { diary, world } = watch(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/key`);
    await diary.until('down: HTTP status 403');
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    world.advance(75);
    await diary.until('down: connection refused');
  });

  it('tells nothing after close, even while it connects', async () => {
    const node = await fakeSubscriber(ack);
    const { diary, socket, world } = watch(node.url);
    socket.close();
    const other = watch(node.url);
    await other.diary.until('up');
    other.socket.close();
    await node.diary.until('closed');
    expect(diary.lines).toEqual([]);
    expect(other.diary.lines).toEqual(['up']);
    expect([...world.delays, ...other.world.delays]).toEqual([]);
  });

  it('refuses a URL that is none, without telling it', () => {
    expect(() => watch('http://secret/key')).toThrow('upstream ws: the scheme must be ws or wss');
    expect(() => watch('secret key')).toThrow('upstream ws: not a URL');
  });

  it('follows a real node, through its death', async () => {
    const node = await testAnvil();
    open.push(async () => void (await node.stop(2000)));
    const diary = new Diary();
    const socket = new HeadSocket(
      { url: `ws://127.0.0.1:${node.port}`, headers: {}, readyTimeoutMs: 5000, maxPayloadBytes: 1 << 20, backoff: { baseMs: 60_000, maxMs: 60_000 } },
      { timers: realWorld.timers, random: () => 0, blockTimeMs: () => 0 },
      diary,
    );
    open.push(() => socket.close());
    socket.start();
    await diary.until('up');
    await rpc(`http://127.0.0.1:${node.port}`, 'evm_mine');
    await diary.until('head 1');
    const block = await rpc<{ hash: string; parentHash: string }>(`http://127.0.0.1:${node.port}`, 'eth_getBlockByNumber', ['0x1', false]);
    expect(diary.heads[0]).toMatchObject({ number: 1, hash: block.hash, parentHash: block.parentHash });
    node.kill('SIGKILL');
    await node.exited;
    while (diary.lines.at(-1)?.startsWith("down") !== true) await new Promise(setImmediate);
    expect(socket.live).toBe(false);
  });
});
