import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

/** One request as it came over the wire. */
export interface RawRequest {
  readonly head: string;
  readonly body: string;
  /** Which connection, counted from 0. */
  readonly connection: number;
}

type Answer = (socket: Socket, request: RawRequest) => void;

/** A node made of a raw TCP socket: says exactly the bytes it is told to. */
export class FakeNode {
  readonly requests: RawRequest[] = [];
  readonly sockets: Socket[] = [];
  answer: Answer;
  #server: Server;
  readonly #watchers = new Set<() => void>();

  private constructor(server: Server, answer: Answer) {
    this.#server = server;
    this.answer = answer;
    server.on('connection', (socket) => this.#onConnection(socket));
  }

  /** Listens on a free port of the loopback, or on a given one. */
  static async start(answer: Answer, port = 0): Promise<FakeNode> {
    const server = createServer({ noDelay: true });
    const node = new FakeNode(server, answer);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    return node;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Resolves once `condition` holds, looked at after every event on a socket. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#watchers.add(resolve);
      });
    }
  }

  /** Closes the listener and cuts every connection with a reset, like a killed process. */
  async kill(): Promise<void> {
    for (const socket of this.sockets) socket.resetAndDestroy();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  #onConnection(socket: Socket): void {
    const connection = this.sockets.push(socket) - 1;
    let buffered = '';
    socket.on('error', () => {});
    socket.on('close', () => this.#wake());
    socket.on('data', (chunk) => {
      buffered += chunk.toString('latin1');
      const headEnd = buffered.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const head = buffered.slice(0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (buffered.length < headEnd + 4 + length) return;
      const request = { head, body: buffered.slice(headEnd + 4), connection };
      buffered = '';
      this.requests.push(request);
      this.answer(socket, request);
      this.#wake();
    });
    this.#wake();
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
    this.#watchers.clear();
  }
}

/** Text of a whole HTTP answer. */
export function httpAnswer(status: string, body: string, headers = 'content-type: application/json\r\n'): string {
  return `HTTP/1.1 ${status}\r\n${headers}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}
