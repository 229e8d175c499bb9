import { spawnSync } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';

interface Phase {
  readonly answered: number;
  readonly failed: number;
  readonly p50Us: number;
  readonly p90Us: number;
  readonly maxUs: number;
}

interface Loop {
  phase(): void;
  readonly done: Promise<{ phases: Phase[]; faults: string[] }>;
}

interface Drivers {
  openLoop(peer: { url: string }, call: { body(id: number): string; answer(id: number): string }, options: object): Loop;
}

const ANSWER = '{"id":1,"result":"0x1"}';
const WHOLE = `HTTP/1.1 200 OK\r\nContent-Length: ${ANSWER.length}\r\n\r\n${ANSWER}`;
const CHUNKED = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n${ANSWER.slice(0, 5)}\r\n${(ANSWER.length - 5).toString(16)}\r\n${ANSWER.slice(5)}\r\n0\r\n\r\n`;
const call = { body: () => '{"id":1}', answer: () => ANSWER };
const { openLoop } = (await import(new URL('../../native-bench/lib/open.mjs', import.meta.url).href)) as Drivers;

let server: Server;
const sockets = new Set<Socket>();
afterEach(() => {
  vi.unstubAllEnvs();
  for (const socket of sockets) socket.destroy();
  server.close();
});

/** A node that does as told with the nth request; each request comes whole, in one piece. */
async function node(onRequest: (socket: Socket, n: number) => void): Promise<{ url: string }> {
  let n = 0;
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('data', () => onRequest(socket, n++));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const hasCompiler = spawnSync('cc', ['--version']).status === 0;
const drivers = [['in JavaScript', ''], ...(hasCompiler ? [['in C', 'cc']] : [])];

describe.each(drivers)('the driver of the open loop %s', (_, compiler) => {
  const open = (peer: { url: string }, options: object): Loop => {
    vi.stubEnv('CC', compiler);
    return openLoop(peer, call, { rate: 500, seconds: 0.4, connections: 8, ...options });
  };

  test('sends at the rate, and reads answers whole, in chunks and in pieces', async () => {
    let asked = 0;
    const peer = await node((socket, n) => {
      asked++;
      if (n % 3 < 2) {
        socket.write(n % 3 === 0 ? WHOLE : CHUNKED);
        return;
      }
      socket.write(CHUNKED.slice(0, 70));
      setImmediate(() => socket.write(CHUNKED.slice(70)));
    });
    const { phases, faults } = await open(peer, {}).done;
    expect([phases.length, phases[0]?.failed, faults]).toEqual([1, 0, []]);
    expect(phases[0]?.answered).toBe(asked);
    // 200, as chance has it from a fixed seed
    expect(Math.abs(asked - 200)).toBeLessThan(60);
  });

  test('counts from when a call was due: those that a standing node holds up are slow as well', async () => {
    const peer = await node((socket, n) => {
      if (n === 20) setTimeout(() => socket.write(WHOLE), 300);
      else socket.write(WHOLE);
    });
    const { phases } = await open(peer, { connections: 1 }).done;
    expect(phases[0]?.failed).toBe(0);
    expect(phases[0]?.p50Us).toBeGreaterThan(50_000);
  });

  test('tells wrong answers and closed connections, and goes on with new ones', async () => {
    const peer = await node((socket, n) => {
      if (n === 10) socket.write('HTTP/1.1 503 No\r\ncontent-length: 2\r\nConnection: close\r\n\r\nno');
      else if (n === 20) socket.destroy();
      else if (n === 30) socket.write(WHOLE.replace('0x1', '0x2'));
      else socket.write(WHOLE);
    });
    const { phases, faults } = await open(peer, { connections: 1 }).done;
    expect(faults).toEqual(['status 503: no', 'connection closed before the answer', 'status 200: {"id":1,"result":"0x2"}']);
    expect(phases[0]?.failed).toBe(3);
    expect(phases[0]?.answered).toBeGreaterThan(100);
  });

  test('ends when no answer comes, with every call counted as failed', async () => {
    const peer = await node(() => undefined);
    const { phases, faults } = await open(peer, { timeoutMs: 50, connections: 2 }).done;
    expect(phases[0]?.answered).toBe(0);
    expect(phases[0]?.failed).toBeGreaterThan(100);
    expect(faults[0]).toMatch(/^(never sent|no answer in time)$/);
  });

  test('tells phases apart by when a call was due', async () => {
    const held: Socket[] = [];
    let loop: Loop | null = null;
    const peer = await node((socket, n) => {
      held.push(socket);
      if (n < 5) return;
      loop?.phase();
      loop = null;
      for (const one of held.splice(0)) one.write(WHOLE);
    });
    loop = open(peer, {});
    const { phases } = await loop.done;
    expect(phases.length).toBe(2);
    expect(phases[0]?.answered).toBeGreaterThanOrEqual(6);
    expect(phases[1]?.answered).toBeGreaterThan(0);
  });
});
