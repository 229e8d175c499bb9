import { expect, vi } from 'vitest';
import type { TestGateway } from './gateway.ts';
import { RawClient, post } from './raw.ts';

const MIB = 1024 * 1024;

/** A call of a single client; the method is none that a probe uses. */
export const CALL = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xaa","0x64"]}';

/** Port of the client side of a gateway. */
export const portOf = (gateway: TestGateway): number => Number(new URL(gateway.url).port);

/** Asserts that another client is answered, on a connection of its own. */
export async function expectServes(gateway: TestGateway): Promise<void> {
  const client = await RawClient.open(portOf(gateway));
  client.write(post(CALL));
  const response = await client.response();
  client.leave();
  expect({ status: response?.status, body: response?.body.toString() }).toEqual({ status: 200, body: '{"jsonrpc":"2.0","id":1,"result":"0x1"}' });
}

/** The gauges of the client side as the admin port shows them. */
export async function gauges(gateway: TestGateway): Promise<{ connections: number; inFlight: number }> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const value = (name: string): number => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN);
  return { connections: value('tidegate_client_connections'), inFlight: value('tidegate_in_flight') };
}

/** Resolves once nothing of any client is left. */
export async function untilQuiet(gateway: TestGateway): Promise<void> {
  const check = async (): Promise<void> => expect(await gauges(gateway)).toEqual({ connections: 0, inFlight: 0 });
  await vi.waitFor(check, { timeout: 20_000, interval: 20 });
}

/** Mebibytes of memory of this process beyond what it had when asked first. */
export function memoryGauge(): () => number {
  const before = process.memoryUsage().rss;
  return () => Math.round((process.memoryUsage().rss - before) / MIB);
}

/** Writes `pieces` as fast as the other side takes them, up to its first answer or the end. */
export async function pour(client: RawClient, pieces: Iterable<string | Buffer>): Promise<number> {
  const { socket } = client;
  let wroteBytes = 0;
  let isOver = false;
  const over = (): void => {
    isOver = true;
  };
  socket.once('data', over).once('close', over);
  for (const piece of pieces) {
    if (isOver) break;
    // Called when it is written, and when it never will be.
    await new Promise<void>((resolve) => socket.write(piece, () => resolve()));
    wroteBytes += piece.length;
  }
  return wroteBytes;
}

/** Sends `bytes` one by one, one each `everyMs`, until the connection is gone or they are over. */
export function trickle(client: RawClient, bytes: string, everyMs: number): void {
  let at = 0;
  const timer = setInterval(() => {
    if (at < bytes.length) client.write(bytes.charAt(at++));
    else clearInterval(timer);
  }, everyMs);
  client.socket.once('close', () => clearInterval(timer));
}
