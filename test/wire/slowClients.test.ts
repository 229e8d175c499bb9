import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { ENGINES } from '../help/edge.ts';
import { FatNode } from '../help/fatNode.ts';
import { serve, testGateway } from '../help/gateway.ts';
import type { TestGateway } from '../help/gateway.ts';

/** Two notices of this size are more than the soft limit, and what the kernel holds for a connection is a few dozen. */
const EXTRA_BYTES = 128 * 1024;
const SOFT = 64 * 1024;
/** More than this many blocks are in nobody's kernel. */
const ENOUGH = 200;

let node: FatNode;
let gateway: TestGateway;
const clients: Reader[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.ws.terminate();
  await gateway.close();
  await node.close();
});

/** A client of `newHeads` that can stop to read. */
class Reader {
  readonly ws: WebSocket;
  readonly heads: number[] = [];
  /** Of each notice about dropped ones. */
  readonly dropped: number[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  #wake: () => void = () => undefined;

  private constructor(ws: WebSocket) {
    this.ws = ws;
    ws.on('error', () => undefined);
    ws.on('message', (data) => {
      const { method, params } = JSON.parse(String(data)) as { method?: string; params?: { result?: { number: string }; kind?: string; count?: number } };
      if (method === 'eth_subscription') this.heads.push(Number(params?.result?.number));
      else if (params?.kind === 'dropped') this.dropped.push(params.count ?? 0);
      this.#wake();
    });
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
  }

  static async subscribe(): Promise<Reader> {
    const ws = new WebSocket(gateway.url.replace('http', 'ws'), { perMessageDeflate: false });
    await new Promise((resolve, reject) => ws.once('open', resolve).once('error', reject));
    const answered = new Promise((resolve) => ws.once('message', resolve));
    ws.send('{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}');
    await answered;
    const reader = new Reader(ws);
    clients.push(reader);
    return reader;
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

async function start(engine: 'uws' | 'node', webSocket: object): Promise<{ readonly slow: Reader; readonly quick: Reader }> {
  node = await FatNode.start();
  gateway = await testGateway([{ name: 'fat', httpUrl: node.httpUrl, wsUrl: node.wsUrl }], { engine, server: { webSocket: { softLimitBytes: SOFT, ...webSocket } } });
  await gateway.until((upstreams) => serve(upstreams));
  const [slow, quick] = [await Reader.subscribe(), await Reader.subscribe()];
  node.extraBytes = EXTRA_BYTES;
  return { slow, quick };
}

async function counted(action: string): Promise<number> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  return Number(new RegExp(`^tidegate_slow_client_actions_total\\{.*action="${action}".*\\} (\\d+)$`, 'm').exec(text)?.[1]);
}

/** Blocks, each of which the quick one reads before the next, until so much was done about the slow one. @returns the newest */
async function growUntil(quick: Reader, action: string, count = 1): Promise<number> {
  for (let i = 0; i < ENOUGH; i++) {
    const number = node.block();
    await quick.until(() => quick.heads.at(-1) === number);
    if ((await counted(action)) >= count) return number;
  }
  throw new Error(`nothing was ${action}`);
}

const upTo = (first: number, last: number): number[] => Array.from({ length: last - first + 1 }, (_, i) => first + i);

describe.each(ENGINES)('a client of the engine %s that does not read', { timeout: 60_000 }, (engine) => {
  it('delays nobody, has a queue of its own, and is told all in order once it reads again', async () => {
    const { slow, quick } = await start(engine, { hardLimitBytes: 256 * 1024 * 1024 });
    const first = node.tip + 1;
    slow.ws.pause();
    await growUntil(quick, 'parked');
    for (let i = 0; i < 5; i++) node.block();
    await quick.until(() => quick.heads.at(-1) === node.tip);
    expect(slow.heads.length).toBeLessThan(quick.heads.length - 5);
    slow.ws.resume();
    await slow.until(() => slow.heads.at(-1) === node.tip);
    await growUntil(quick, 'resumed');
    // published again to both, behind what was queued
    for (let i = 0; i < 3; i++) node.block();
    for (const reader of [slow, quick]) {
      await reader.until(() => reader.heads.at(-1) === node.tip);
      expect(reader.heads).toEqual(upTo(first, node.tip));
    }
    expect(slow.dropped).toEqual([]);
  });

  it('is closed with 1013 and the reason past the hard limit, after all that was sent before', async () => {
    const { slow, quick } = await start(engine, { hardLimitBytes: 1024 * 1024, slowPolicy: 'disconnect' });
    const first = node.tip + 1;
    slow.ws.pause();
    await growUntil(quick, 'disconnected');
    slow.ws.resume();
    await slow.until(() => slow.closed !== null);
    expect(slow.closed).toEqual({ code: 1013, reason: 'slow consumer' });
    expect(slow.heads).toEqual(upTo(first, first + slow.heads.length - 1));
    expect(quick.heads).toEqual(upTo(first, node.tip));
    expect(quick.closed).toBeNull();
  });

  it('loses the oldest, is told how many, and goes on, where the config says so', async () => {
    const { slow, quick } = await start(engine, { hardLimitBytes: 1024 * 1024, slowPolicy: 'drop-oldest' });
    const first = node.tip + 1;
    slow.ws.pause();
    const last = await growUntil(quick, 'dropped', 3);
    slow.ws.resume();
    await slow.until(() => slow.heads.at(-1) === last);
    const lost = slow.dropped.reduce((sum, count) => sum + count, 0);
    expect(lost).toBeGreaterThanOrEqual(3);
    expect(slow.dropped).toHaveLength(1);
    // one hole, of just so many
    const hole = slow.heads.findIndex((number, i) => number !== first + i);
    expect(slow.heads).toEqual([...upTo(first, first + hole - 1), ...upTo(first + hole + lost, last)]);
    expect(quick.heads).toEqual(upTo(first, last));
  });

  it('gets only the newest head of what it missed, where the config says so', async () => {
    const { slow, quick } = await start(engine, { hardLimitBytes: 1024 * 1024, slowPolicy: 'conflate' });
    const first = node.tip + 1;
    slow.ws.pause();
    const last = await growUntil(quick, 'conflated', 10);
    slow.ws.resume();
    await slow.until(() => slow.heads.at(-1) === last);
    expect(slow.heads.length).toBeLessThanOrEqual(last - first + 1 - 10);
    expect(slow.heads).toEqual([...new Set(slow.heads)].sort((a, b) => a - b));
    expect(quick.heads).toEqual(upTo(first, last));
    expect(slow.closed).toBeNull();
  });
});
