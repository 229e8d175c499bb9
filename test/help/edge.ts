import { afterEach } from 'vitest';
import { listen } from '../../src/edge/listen.ts';
import type { EdgeOptions } from '../../src/edge/limits.ts';
import type { EdgeAnswer, EdgeExchange, EdgeHandler, EdgeServer, RequestHead } from '../../src/edge/port.ts';
import { loadUws } from '../../src/edge/uwsLoad.ts';
import { RawClient } from './raw.ts';

export type EngineName = 'uws' | 'node';

/** The engines that this machine can run; a suite runs once on each. */
export const ENGINES: readonly EngineName[] = canLoadUws() ? ['uws', 'node'] : ['node'];

function canLoadUws(): boolean {
  try {
    loadUws();
    return true;
  } catch (error) {
    if (process.env['TIDEGATE_REQUIRE_ALL'] === '1') throw error;
    return false;
  }
}

export const OPTIONS: EdgeOptions = {
  host: '127.0.0.1',
  port: 0,
  engine: 'node',
  maxConnections: 1000,
  maxHeaderBytes: 16 * 1024,
  maxBodyBytes: 64 * 1024,
  maxInflatedBytes: 256 * 1024,
  bodyTimeoutMs: 10_000,
  keepAliveTimeoutMs: 60_000,
  refuseChunked: false,
  gzipAboveBytes: 16 * 1024,
  cors: { origins: ['*'], maxAgeS: 600 },
  tls: { certFile: '', keyFile: '', passphrase: '', minVersion: 'TLSv1.2' },
  webSocket: { enabled: true, maxMessageBytes: 64 * 1024, idleTimeoutMs: 60_000, softLimitBytes: 64 * 1024, hardLimitBytes: 1024 * 1024, drainGraceMs: 0 },
};

export const JSON_HEADERS = ['content-type', 'application/json'] as const;

/** One request that reached the handler. */
export class Seen {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly head: RequestHead;
  body: Buffer | null = null;
  exchange: EdgeExchange | null = null;
  goneCount = 0;
  /** Resolves with the first `onGone`. */
  readonly gone: Promise<void>;
  /** Resolves when the body is whole. */
  readonly whole: Promise<Seen>;
  onGone: () => void = () => {};
  onWhole: (seen: Seen) => void = () => {};

  constructor(head: RequestHead) {
    this.head = head;
    this.method = head.method;
    this.path = head.path;
    this.query = head.query;
    this.remoteAddress = head.remoteAddress();
    this.gone = new Promise((resolve) => {
      this.onGone = resolve;
    });
    this.whole = new Promise((resolve) => {
      this.onWhole = resolve;
    });
  }
}

/** A handler that keeps what it saw and answers by `reply`, or not at all where that returns null. */
export class Recorder implements EdgeHandler {
  readonly seen: Seen[] = [];
  /** Answer to a whole request; null leaves it to the test (`seen[i].exchange`). */
  reply: (seen: Seen) => EdgeAnswer | null = (seen) => ({ status: 200, headers: JSON_HEADERS, body: `"${seen.body?.toString('latin1')}"` });
  /** Runs inside `onRequest`; an answer refuses the request. */
  onHead: (head: RequestHead) => EdgeAnswer | null = () => null;
  #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  /** Answers a request for a WebSocket; mostly there are none. */
  onSocket: (head: RequestHead) => ReturnType<EdgeHandler['onUpgrade']> = () => ({ status: 404, headers: JSON_HEADERS, body: '"no sockets here"' });

  onUpgrade(head: RequestHead): ReturnType<EdgeHandler['onUpgrade']> {
    return this.onHead(head) ?? this.onSocket(head);
  }

  onRequest(head: RequestHead): ReturnType<EdgeHandler['onRequest']> {
    const refusal = this.onHead(head);
    if (refusal !== null) return refusal;
    const seen = new Seen(head);
    this.seen.push(seen);
    for (const one of this.#waiting) if (this.seen.length >= one.count) one.resolve();
    return {
      onBody: (body, exchange) => {
        // the engine takes the bytes back
        seen.body = Buffer.from(body);
        seen.exchange = exchange;
        const answer = this.reply(seen);
        if (answer !== null) exchange.answer(answer);
        seen.onWhole(seen);
      },
      onGone: () => {
        seen.goneCount += 1;
        seen.onGone();
      },
    };
  }

  /** Resolves when request number `index` (from 0) has reached the handler. */
  async request(index: number): Promise<Seen> {
    if (this.seen.length <= index) {
      await new Promise<void>((resolve) => this.#waiting.push({ count: index + 1, resolve }));
    }
    const seen = this.seen[index];
    if (seen === undefined) throw new Error(`no request ${index}`);
    return seen;
  }

  get bodies(): string[] {
    return this.seen.filter((seen) => seen.body !== null).map((seen) => seen.body?.toString('latin1') ?? '');
  }
}

export interface TestEdge {
  readonly server: EdgeServer;
  readonly handler: Recorder;
  readonly logged: string[];
}

/** An edge on a free port; drain it when done. */
export async function startEdge(engine: EngineName, options: Partial<EdgeOptions> = {}): Promise<TestEdge> {
  const handler = new Recorder();
  const logged: string[] = [];
  const log = { info: (_: object, text: string) => logged.push(text), error: (_: object, text: string) => logged.push(text) };
  const server = await listen({ ...OPTIONS, ...options, engine }, handler, log);
  return { server, handler, logged };
}

export interface EdgeBench {
  /** An edge that is drained after the test. */
  start(options?: Partial<EdgeOptions>): Promise<TestEdge>;
  /** The same, and a client of it. */
  open(options?: Partial<EdgeOptions>): Promise<{ edge: TestEdge; client: RawClient }>;
}

/** For a suite of one engine: at most one edge per test. */
export function edgeBench(engine: EngineName): EdgeBench {
  let edge: TestEdge | null = null;
  afterEach(async () => {
    await edge?.server.drain(0);
    edge = null;
  });
  const start = async (options: Partial<EdgeOptions> = {}): Promise<TestEdge> => {
    edge = await startEdge(engine, options);
    return edge;
  };
  return {
    start,
    open: async (options) => {
      const opened = await start(options);
      return { edge: opened, client: await RawClient.open(opened.server.port) };
    },
  };
}
