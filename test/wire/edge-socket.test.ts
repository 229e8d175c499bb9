import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { EdgeServer, EdgeSocket, SocketSink } from '../../src/edge/port.ts';
import { listen } from '../../src/edge/listen.ts';
import { ENGINES, OPTIONS, Recorder } from '../help/edge.ts';
import { frame, openRaw } from '../help/frames.ts';
import type { RawSocket } from '../help/frames.ts';

/** Echoes what it is told; keeps what happens. */
class Echo implements SocketSink {
  socket: EdgeSocket | null = null;
  readonly events: string[] = [];
  readonly closed: Promise<void>;
  onGone: () => void = () => undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.onGone = resolve;
    });
  }

  onOpen(socket: EdgeSocket): void {
    this.socket = socket;
    this.events.push('open');
  }

  onMessage(message: Buffer): void {
    this.events.push(`message of ${message.length}`);
    this.socket?.send(message);
  }

  onDrain(): void {}

  onClose(): void {
    this.events.push('close');
    this.onGone();
  }
}

let server: EdgeServer;
let recorder: Recorder;
let echoes: Echo[] = [];
afterEach(() => server.drain(0));

async function start(engine: 'uws' | 'node', webSocket: Partial<typeof OPTIONS.webSocket> = {}): Promise<void> {
  recorder = new Recorder();
  echoes = [];
  recorder.onSocket = () => {
    const echo = new Echo();
    echoes.push(echo);
    return echo;
  };
  server = await listen({ ...OPTIONS, engine, webSocket: { ...OPTIONS.webSocket, ...webSocket } }, recorder, { info: () => undefined, error: () => undefined });
}

const url = (): string => `ws://127.0.0.1:${server.port}/`;

async function open(): Promise<WebSocket> {
  const ws = new WebSocket(url(), { perMessageDeflate: false });
  await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
  return ws;
}

const next = (ws: WebSocket): Promise<string> => new Promise((resolve) => ws.once('message', (data) => resolve(String(data))));
const closeOf = (ws: WebSocket): Promise<string> => new Promise((resolve) => ws.once('close', (code, reason) => resolve(`${code} ${reason}`.trim())));

const raw = (): Promise<RawSocket> => openRaw(server.port);

describe.each(ENGINES)('WebSocket connections of the engine %s', (engine) => {
  it('take messages whole, text or binary, in order, and answer in text', async () => {
    await start(engine);
    const ws = await open();
    const got: string[] = [];
    const all = new Promise<void>((resolve) => {
      ws.on('message', (data, isBinary) => {
        got.push(`${isBinary ? 'binary' : 'text'} ${String(data)}`);
        if (got.length === 3) resolve();
      });
    });
    ws.send('é');
    ws.send(Buffer.from('b'));
    ws.send('c', { fin: false });
    ws.send('d', { fin: true });
    await all;
    expect(got).toEqual(['text é', 'text b', 'text cd']);
    ws.close();
    await echoes[0]?.closed;
    expect(echoes[0]?.events).toEqual(['open', 'message of 2', 'message of 1', 'message of 2', 'close']);
  });

  it('are published to by name, joined and left in order with what is sent to one alone', async () => {
    await start(engine);
    const [one, two] = [await open(), await open()];
    echoes[0]?.socket?.join('t');
    echoes[1]?.socket?.join('t');
    const first = Promise.all([next(one), next(two)]);
    server.publish('t', 'to both');
    expect(await first).toEqual(['to both', 'to both']);
    const got: string[] = [];
    const last = new Promise<void>((resolve) => {
      one.on('message', (data) => {
        got.push(String(data));
        if (String(data) === 'end') resolve();
      });
    });
    server.publish('t', '1');
    echoes[0]?.socket?.leave('t');
    server.publish('t', 'to two alone');
    echoes[0]?.socket?.send('2');
    echoes[0]?.socket?.join('t');
    server.publish('t', '3');
    server.publish('nobody', 'lost');
    echoes[0]?.socket?.send('end');
    await last;
    expect(got).toEqual(['1', '2', '3', 'end']);
  });

  it('are closed with a code and a reason, and may be used afterwards without harm', async () => {
    await start(engine);
    const ws = await open();
    const closed = closeOf(ws);
    const socket = echoes[0]?.socket;
    socket?.end(1013, 'slow consumer');
    expect(await closed).toBe('1013 slow consumer');
    await echoes[0]?.closed;
    socket?.send('late');
    socket?.join('t');
    socket?.leave('t');
    socket?.end(1000, 'again');
    expect(socket?.bufferedBytes()).toBe(0);
  });

  it('over the size limit are closed; others go on', async () => {
    await start(engine);
    const [big, small] = [await open(), await open()];
    const closed = closeOf(big);
    big.send('x'.repeat(OPTIONS.webSocket.maxMessageBytes + 1));
    expect(await closed).toBe(engine === 'node' ? '1009' : '1006');
    const answer = next(small);
    small.send('x'.repeat(OPTIONS.webSocket.maxMessageBytes));
    expect((await answer).length).toBe(OPTIONS.webSocket.maxMessageBytes);
  });

  it.each([
    ['a reserved opcode', frame(0x83, 'x'), 1002],
    ['a reserved bit', frame(0xc1, 'x'), 1002],
    ['a fragmented ping', frame(0x09, 'x'), 1002],
    ['a long ping', frame(0x89, 'x'.repeat(126)), 1002],
    ['a continuation of nothing', frame(0x80, 'x'), 1002],
    ['a text within a text', Buffer.concat([frame(0x01, 'x'), frame(0x81, 'y')]), 1002],
    ['text that is not UTF-8', frame(0x81, Buffer.from([0xff, 0xfe])), 1007],
    ['a close code that is none', frame(0x88, Buffer.from([0, 5])), 1002],
    ['a close frame of one byte', frame(0x88, Buffer.from([3])), 1002],
  ])('with %s are closed, and the server goes on', async (_what, bytes, code) => {
    await start(engine);
    const other = await open();
    const { socket, over } = await raw();
    socket.write(bytes);
    const frames = await over;
    // uws ends the connection without a word where its parser gives up
    if (engine === 'node' || frames.length > 0) expect(frames.at(-1)).toMatch(engine === 'node' ? `close:${code}` : /^close:/);
    expect(frames.filter((one) => !one.startsWith('close')).every((one) => one === '1:x')).toBe(true);
    const answer = next(other);
    other.send('still here');
    expect(await answer).toBe('still here');
  });

  it('answer pings, also between the pieces of a message', async () => {
    await start(engine);
    const { socket, over } = await raw();
    socket.write(Buffer.concat([frame(0x01, 'a'), frame(0x89, 'p'), frame(0x80, 'b'), frame(0x88, Buffer.from([3, 232]))]));
    expect(await over).toEqual(['10:p', '1:ab', 'close:1000']);
  });

  it('that vanish, half-close or send half a frame leave nothing behind', async () => {
    await start(engine);
    for (let i = 0; i < 20; i++) {
      const { socket, over } = await raw();
      if (i % 4 === 0) socket.resetAndDestroy();
      else if (i % 4 === 1) socket.end();
      else if (i % 4 === 2) socket.end(frame(0x81, 'half').subarray(0, 4));
      else socket.end(frame(0x81, 'whole'));
      await over;
    }
    await Promise.all(echoes.map(({ closed }) => closed));
    expect(echoes).toHaveLength(20);
    for (const { events } of echoes) expect(events.at(-1)).toBe('close');
    // the count of connections follows with the last event of each
    await new Promise((resolve) => setImmediate(resolve));
    expect(server.connections()).toBe(0);
  });

  // 8 s are the shortest that uws knows
  it('that give no sign of life are closed after the idle time; a pong is one', { timeout: 40_000 }, async () => {
    await start(engine, { idleTimeoutMs: engine === 'uws' ? 8_000 : 500 });
    const quiet = await open();
    const { over } = await raw();
    expect((await over).filter((one) => one.startsWith('9:')).length).toBeGreaterThan(0);
    await echoes[1]?.closed;
    const answer = next(quiet);
    quiet.send('still here');
    expect(await answer).toBe('still here');
  });

  it('are told to come back when the server drains', async () => {
    await start(engine);
    const ws = await open();
    const closed = closeOf(ws);
    const drained = server.drain(5_000);
    expect(await closed).toBe('1012 shutting down');
    await drained;
    expect(echoes[0]?.events.at(-1)).toBe('close');
  });
});
