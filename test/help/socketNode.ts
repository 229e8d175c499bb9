import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { vi } from 'vitest';

/** One text message that a node was sent. */
export interface Said {
  readonly socket: WebSocket;
  readonly text: string;
  readonly id: number;
  readonly method: string;
}

/** A node over WebSocket that answers what `onSaid` says, and nothing by itself. */
export class SocketNode {
  readonly said: Said[] = [];
  readonly sockets: WebSocket[] = [];
  onSaid: ((said: Said) => void) | null = null;
  readonly #server: WebSocketServer;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  static async start(port = 0): Promise<SocketNode> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    const node = new SocketNode(server);
    server.on('connection', (socket) => {
      node.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.on('message', (data) => {
        const text = String(data);
        const { id, method } = JSON.parse(text) as { id: number; method: string };
        const said = { socket, text, id, method };
        node.said.push(said);
        node.onSaid?.(said);
      });
    });
    await new Promise<void>((resolve) => server.once('listening', resolve));
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/`;
  }

  /** Resolves once so many messages have come. */
  async heard(count: number): Promise<readonly Said[]> {
    await vi.waitFor(() => {
      if (this.said.length < count) throw new Error(`${this.said.length} messages, ${count} expected`);
    }, { timeout: 10_000, interval: 2 });
    return this.said;
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
