import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { request } from 'undici';

/** What a bent node makes of the true result of a call. */
export type Bend = (method: string, params: readonly unknown[], result: unknown) => unknown;

interface Body {
  readonly method: string;
  readonly params?: readonly unknown[];
}

/** A node over HTTP that asks a true node and bends its results. It does not know batches. */
export class BentNode {
  /** Methods that were asked, in order. */
  readonly asked: string[] = [];
  readonly #server: Server;
  readonly #trueUrl: string;
  readonly #bend: Bend;

  private constructor(server: Server, trueUrl: string, bend: Bend) {
    this.#server = server;
    this.#trueUrl = trueUrl;
    this.#bend = bend;
  }

  static async start(trueUrl: string, bend: Bend): Promise<BentNode> {
    const server = createServer();
    const node = new BentNode(server, trueUrl, bend);
    server.on('request', (incoming, response) => {
      const pieces: Buffer[] = [];
      incoming.on('data', (piece: Buffer) => pieces.push(piece));
      incoming.on('end', () => {
        node.#answer(Buffer.concat(pieces).toString('utf8')).then(
          (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body),
          () => response.destroy(),
        );
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return node;
  }

  get httpUrl(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #answer(raw: string): Promise<string> {
    const { method, params = [] } = JSON.parse(raw) as Body;
    this.asked.push(method);
    const answer = await request(this.#trueUrl, { method: 'POST', headers: { 'content-type': 'application/json' }, body: raw });
    const body = (await answer.body.json()) as { result?: unknown };
    if ('result' in body) body.result = await this.#bend(method, params, body.result);
    return JSON.stringify(body);
  }
}
