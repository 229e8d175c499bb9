import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { vi } from 'vitest';

/** A call as it stood in a body. */
export interface AskedCall {
  readonly id: number;
  readonly method: string;
}

/** A request that waits for its answer. */
export interface Asked {
  readonly isBatch: boolean;
  readonly calls: readonly AskedCall[];
  /** The client closed the connection before the answer. */
  readonly cut: boolean;
  answer(body: string, status?: number): void;
  /** Answers each call with its id as the result. */
  answerAll(): void;
  /** Closes the connection without a word. */
  hangUp(): void;
}

export const resultOf = (id: number): string => `{"jsonrpc":"2.0","id":${id},"result":"0x${id.toString(16)}"}`;

class Pending implements Asked {
  readonly isBatch: boolean;
  readonly calls: readonly AskedCall[];
  cut = false;
  readonly #response: ServerResponse;

  constructor(body: string, response: ServerResponse) {
    const parsed = JSON.parse(body) as AskedCall | AskedCall[];
    this.isBatch = Array.isArray(parsed);
    this.calls = Array.isArray(parsed) ? parsed : [parsed];
    this.#response = response;
    response.once('close', () => {
      this.cut ||= !response.writableFinished;
    });
  }

  answer(body: string, status = 200): void {
    this.#response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  }

  answerAll(): void {
    const results = this.calls.map(({ id }) => resultOf(id));
    this.answer(this.isBatch ? `[${results.join(',')}]` : (results[0] ?? ''));
  }

  hangUp(): void {
    this.#response.destroy();
  }
}

/** A node over HTTP whose every request waits until the test answers it, or `auto` does. */
export class BatchNode {
  readonly asked: Asked[] = [];
  auto: ((asked: Asked) => void) | null = null;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<BatchNode> {
    const server = createServer();
    const node = new BatchNode(server);
    server.on('request', (request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const asked = new Pending(Buffer.concat(pieces).toString('utf8'), response);
        node.asked.push(asked);
        node.auto?.(asked);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Sizes of the requests so far: 1 = a call alone. */
  get sizes(): number[] {
    return this.asked.map(({ calls, isBatch }) => (isBatch ? calls.length : 1));
  }

  /** The request at that place, once it is there. */
  async request(place: number): Promise<Asked> {
    await vi.waitFor(() => {
      if (this.asked.length <= place) throw new Error(`${this.asked.length} requests, ${place + 1} expected`);
    }, { timeout: 10_000, interval: 2 });
    return this.asked[place] as Asked;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
