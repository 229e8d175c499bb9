import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { FatNode } from '../help/fatNode.ts';
import { runProgram } from '../help/program.ts';
import type { Program } from '../help/program.ts';

/** TIDEGATE_SUBS_FULL=1: a hundred thousand connections, and memory must stay. */
const FULL = process.env['TIDEGATE_SUBS_FULL'] === '1';
const CONNECTS = FULL ? 100_000 : 2_000;
const AT_ONCE = 100;
const MIB = 1024 * 1024;
/** A thousand bytes more per connection would be seen. The heap of the `node` engine breathes by half of that: it stays only after some 300,000. */
const MAX_GROWTH_BYTES = 48 * MIB;

const UPGRADE = 'GET / HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

/** A short frame of a client, masked with zeroes. */
function frame(first: number, payload: string | Buffer): Buffer {
  const body = Buffer.from(payload);
  return Buffer.concat([Buffer.from([first, 0x80 | body.length, 0, 0, 0, 0]), body]);
}

const SUBSCRIBE = frame(0x81, '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
const SUBSCRIBE_LOGS = frame(0x81, '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["logs"]}');
const BYE = frame(0x88, Buffer.from([3, 232]));

/** How a connection ends: politely, by a reset, half-closed, in the middle of a frame, by a malformed one, before its answer. */
const ENDINGS: readonly (readonly Buffer[])[] = [
  [SUBSCRIBE, BYE],
  [SUBSCRIBE, SUBSCRIBE, SUBSCRIBE_LOGS],
  [SUBSCRIBE_LOGS, SUBSCRIBE.subarray(0, 9)],
  [SUBSCRIBE, frame(0x83, 'x')],
  [SUBSCRIBE, frame(0x81, Buffer.from([0xff, 0xfe]))],
  [],
];

let node: FatNode;
let program: Program;
afterEach(async () => {
  program.kill('SIGKILL');
  await program.ended;
  await node.close();
});

/** One connection from its upgrade to its end. */
function comeAndGo(port: number, turn: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    const messages = ENDINGS[turn % ENDINGS.length] as readonly Buffer[];
    let heard = '';
    socket.on('error', () => undefined);
    socket.on('close', () => (heard.startsWith('HTTP/1.1 101') ? resolve() : reject(new Error(`not let in: ${heard.slice(0, 60)}`))));
    socket.on('data', (piece) => {
      const isFirst = heard === '';
      heard += piece.toString('latin1').slice(0, 60);
      if (!isFirst) return;
      for (const message of messages) socket.write(message);
      // every other one is gone without a word
      if (Math.floor(turn / ENDINGS.length) % 2 === 0) socket.end();
      else setImmediate(() => socket.resetAndDestroy());
    });
    socket.write(UPGRADE);
  });
}

async function sum(adminUrl: string, name: string): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  return text.split('\n').filter((line) => line.startsWith(name)).reduce((total, line) => total + Number(line.split(' ').at(-1)), 0);
}

describe.each(['uws', 'node'])('the engine %s', (engine) => {
  it(`survives ${CONNECTS} connections that come, subscribe and go in every way, and nothing of them is left`, { timeout: FULL ? 600_000 : 60_000 }, async () => {
    node = await FatNode.start();
    program = runProgram('serve', '--upstream', node.httpUrl, '--port', '0', '--admin-port', '0', '--engine', engine);
    const { url, adminUrl } = await program.listening;
    const port = Number(new URL(url).port);
    const run = async (from: number, to: number): Promise<void> => {
      let next = from;
      const lane = async (): Promise<void> => {
        while (next < to) {
          const turn = next++;
          if (turn % 1000 === 0) node.block();
          await comeAndGo(port, turn);
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, lane));
      await vi.waitFor(async () => expect((await sum(adminUrl, 'tidegate_websocket_connections')) + (await sum(adminUrl, 'tidegate_subscriptions{')) + (await sum(adminUrl, 'tidegate_client_connections'))).toBe(0), { timeout: 20_000, interval: 50 });
    };
    await run(0, CONNECTS / 2);
    const halfBytes = await sum(adminUrl, 'process_resident_memory_bytes');
    await run(CONNECTS / 2, CONNECTS);
    const growthBytes = (await sum(adminUrl, 'process_resident_memory_bytes')) - halfBytes;
    if (FULL) console.info(`${engine}: ${Math.round(halfBytes / MIB)} MiB after half of them, ${(growthBytes / MIB).toFixed(1)} MiB more at the end`);
    expect(halfBytes).toBeGreaterThan(0);
    expect(growthBytes).toBeLessThan(MAX_GROWTH_BYTES);
    // whoever is there at the end is told to come back
    const last = new WebSocket(url.replace('http', 'ws'));
    await once(last, 'open');
    const closed = once(last, 'close');
    program.kill('SIGTERM');
    const [code] = (await closed) as [number];
    expect(code).toBe(1012);
    expect((await program.ended).code).toBe(0);
  });
});
