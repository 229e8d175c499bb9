import { SERVICE_RESTART, TRY_AGAIN_LATER } from './limits.ts';
import type { SocketOptions } from './limits.ts';
import type { EdgeSocket, SocketSink } from './port.ts';
import type { UwsBehavior, UwsRequest, UwsResponse, UwsSocketHandle } from './uwsLoad.ts';

/** The library's own step of idle times, in seconds. */
const IDLE_STEP_S = 4;
const DROPPED = 2;

/** One connection of the `uws` engine. */
class UwsSocket implements EdgeSocket {
  readonly sink: SocketSink;
  #ws: UwsSocketHandle | null = null;

  constructor(sink: SocketSink) {
    this.sink = sink;
  }

  open(ws: UwsSocketHandle): void {
    this.#ws = ws;
    this.sink.onOpen(this);
  }

  send(message: string | Uint8Array): void {
    // a message that was left out would be a call without an answer
    if (this.#ws?.send(message, false, false) === DROPPED) this.end(TRY_AGAIN_LATER, 'too slow');
  }

  join(topicId: string): void {
    this.#ws?.subscribe(topicId);
  }

  leave(topicId: string): void {
    this.#ws?.unsubscribe(topicId);
  }

  bufferedBytes(): number {
    return this.#ws?.getBufferedAmount() ?? 0;
  }

  end(code: number, reason: string): void {
    this.#ws?.end(code, reason);
  }

  /** No use of the connection after this. */
  gone(): void {
    this.#ws = null;
    this.sink.onClose();
  }
}

/** What a server does for its WebSocket connections. */
export interface UwsSocketPort {
  /** Judges a request for one; null = it has its answer. */
  accept(res: UwsResponse, req: UwsRequest): SocketSink | null;
  /** One is closed: the library's own count of connections does not tell. */
  closed(): void;
}

/** The WebSocket connections of one `uws` server. */
export class UwsSockets {
  /** Called whenever none is open. */
  onEmpty: (() => void) | null = null;
  readonly #open = new Set<UwsSocket>();

  get size(): number {
    return this.#open.size;
  }

  behavior(options: SocketOptions, port: UwsSocketPort): UwsBehavior {
    const of = (ws: UwsSocketHandle): UwsSocket => (ws.getUserData() as { readonly socket: UwsSocket }).socket;
    return {
      maxPayloadLength: options.maxMessageBytes,
      idleTimeout: Math.min(960, Math.max(2 * IDLE_STEP_S, IDLE_STEP_S * Math.ceil(options.idleTimeoutMs / (1000 * IDLE_STEP_S)))),
      // Whoever is over the soft limit is no longer published to: what comes on top are answers, and one block's notices.
      maxBackpressure: options.softLimitBytes + options.hardLimitBytes,
      sendPingsAutomatically: true,
      compression: 0,
      upgrade: (res, req, context) => {
        const key = req.getHeader('sec-websocket-key');
        const sink = port.accept(res, req);
        if (sink !== null) res.upgrade({ socket: new UwsSocket(sink) }, key, '', '', context);
      },
      open: (ws) => {
        const socket = of(ws);
        this.#open.add(socket);
        socket.open(ws);
      },
      message: (ws, message) => of(ws).sink.onMessage(Buffer.from(message.slice(0))),
      drain: (ws) => of(ws).sink.onDrain(),
      dropped: (ws) => of(ws).end(TRY_AGAIN_LATER, 'too slow'),
      close: (ws) => {
        const socket = of(ws);
        this.#open.delete(socket);
        port.closed();
        socket.gone();
        if (this.#open.size === 0) this.onEmpty?.();
      },
    };
  }

  /** Closes all, telling clients to come back. */
  restart(): void {
    for (const socket of [...this.#open]) socket.end(SERVICE_RESTART, 'shutting down');
  }
}
