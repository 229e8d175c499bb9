import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { SERVICE_RESTART, TRY_AGAIN_LATER } from './limits.ts';
import type { SocketOptions } from './limits.ts';
import type { EdgeSocket, SocketSink } from './port.ts';

/** One connection of the `node` engine. */
class NodeSocket implements EdgeSocket {
  /** A sign of life came since the last look. */
  alive = true;
  readonly topics = new Set<string>();
  readonly #ws: WebSocket;
  readonly #raw: Duplex;
  readonly #host: NodeSockets;
  readonly #maxBufferedBytes: number;

  constructor(ws: WebSocket, raw: Duplex, host: NodeSockets, maxBufferedBytes: number) {
    this.#ws = ws;
    this.#raw = raw;
    this.#host = host;
    this.#maxBufferedBytes = maxBufferedBytes;
  }

  send(message: string | Uint8Array): void {
    if (this.#ws.readyState !== this.#ws.OPEN) return;
    if (this.bufferedBytes() > this.#maxBufferedBytes) this.end(TRY_AGAIN_LATER, 'too slow');
    else this.#ws.send(message, { binary: false });
  }

  join(topicId: string): void {
    this.#host.join(this, topicId);
  }

  leave(topicId: string): void {
    this.#host.leave(this, topicId);
  }

  bufferedBytes(): number {
    return this.#raw.writableLength;
  }

  end(code: number, reason: string): void {
    this.#ws.close(code, reason);
    // a client that reads nothing would never see it
    if (this.bufferedBytes() > this.#maxBufferedBytes) this.#ws.terminate();
  }

  /** Asks for a sign of life, or gives up a connection that gave none since the last time. */
  probe(): void {
    if (!this.alive) {
      this.#ws.terminate();
      return;
    }
    this.alive = false;
    if (this.#ws.readyState === this.#ws.OPEN) this.#ws.ping();
  }
}

/** The WebSocket connections of one `node` server. */
export class NodeSockets {
  /** Called whenever none is open. */
  onEmpty: (() => void) | null = null;
  readonly #server: WebSocketServer;
  readonly #options: SocketOptions;
  readonly #open = new Set<NodeSocket>();
  readonly #topics = new Map<string, Set<NodeSocket>>();
  #probing: NodeJS.Timeout | null = null;

  constructor(options: SocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload: options.maxMessageBytes });
  }

  get size(): number {
    return this.#open.size;
  }

  /** Takes over a connection whose request was judged. */
  accept(req: IncomingMessage, raw: Duplex, head: Buffer, sink: SocketSink): void {
    this.#server.handleUpgrade(req, raw, head, (ws) => this.#onOpen(ws, raw, sink));
  }

  join(socket: NodeSocket, topicId: string): void {
    const members = this.#topics.get(topicId);
    socket.topics.add(topicId);
    if (members === undefined) this.#topics.set(topicId, new Set([socket]));
    else members.add(socket);
  }

  leave(socket: NodeSocket, topicId: string): void {
    const members = this.#topics.get(topicId);
    socket.topics.delete(topicId);
    members?.delete(socket);
    if (members?.size === 0) this.#topics.delete(topicId);
  }

  publish(topicId: string, message: string): void {
    const members = this.#topics.get(topicId);
    if (members === undefined) return;
    // encoded once; a member that is ended by it leaves the set
    const bytes = Buffer.from(message, 'utf8');
    for (const socket of [...members]) socket.send(bytes);
  }

  /** Closes all, telling clients to come back. */
  restart(): void {
    for (const socket of this.#open) socket.end(SERVICE_RESTART, 'shutting down');
  }

  #onOpen(ws: WebSocket, raw: Duplex, sink: SocketSink): void {
    const { softLimitBytes, hardLimitBytes } = this.#options;
    const socket = new NodeSocket(ws, raw, this, softLimitBytes + hardLimitBytes);
    this.#open.add(socket);
    this.#watch();
    const alive = (): void => {
      socket.alive = true;
    };
    // whatever is wrong with a frame ends the connection, and `close` follows
    ws.on('error', () => undefined);
    ws.on('pong', alive).on('ping', alive);
    ws.on('message', (data) => {
      alive();
      sink.onMessage(data as Buffer);
    });
    raw.on('drain', () => sink.onDrain());
    ws.on('close', () => {
      this.#open.delete(socket);
      for (const topicId of [...socket.topics]) this.leave(socket, topicId);
      sink.onClose();
      if (this.#open.size > 0) return;
      if (this.#probing !== null) clearInterval(this.#probing);
      this.#probing = null;
      this.onEmpty?.();
    });
    sink.onOpen(socket);
  }

  /** Two looks without a sign of life are the idle time. */
  #watch(): void {
    this.#probing ??= setInterval(() => {
      for (const socket of [...this.#open]) socket.probe();
    }, this.#options.idleTimeoutMs / 2);
  }
}
