import type { Certificate } from './certificate.ts';

/** What an engine tells of a request before its body. Every getter is valid only inside `onRequest`. */
export interface RequestHead {
  /** Upper-case HTTP method. */
  readonly method: string;
  /** Path without query, as sent. */
  readonly path: string;
  /** Query without `?`, or ''. */
  readonly query: string;
  /** Value of `x-tidegate-min-block`, or ''. */
  readonly minBlock: string;
  /** Values of all `cache-control` lines, or ''. */
  readonly cacheControl: string;
  /** Value of a header by its lower-case name, or ''. */
  header(name: string): string;
  /** Peer address as text, IPv4-mapped IPv6 folded to IPv4. */
  remoteAddress(): string;
}

/** Where the pieces of a body go. A no-op once the client is gone. */
export interface FlowOut {
  /** Takes a piece. @returns false: the reader is behind, the next one is due after `onDrain` */
  write(piece: Uint8Array): boolean;
  /** That was all of it. */
  end(): void;
  /** The rest cannot be had: the connection is cut, so that nobody takes the body for whole. */
  cut(): void;
}

/** A body that is sent piece by piece, as it comes and as the reader takes it. */
export interface BodyFlow {
  /** Bytes of the whole body; -1 = not known beforehand. */
  readonly lengthBytes: number;
  /** First of all, and once. May write before it returns. */
  begin(out: FlowOut): void;
  /** The reader has taken what it was behind with. */
  onDrain(): void;
  /** The reader is gone, or there is none: no more is wanted. A no-op after the end. */
  onGone(): void;
}

/** An answer: status, ready header pairs and whole body. Header names are lower case. */
export interface EdgeAnswer {
  readonly status: number;
  /** Name, value, name, value … beside content-length and connection, which the engine writes. */
  readonly headers: readonly string[];
  readonly body: Uint8Array | string;
  /** More of the body behind `body`, for a large one that is kept: sent from where it lies, so it must not change. */
  readonly rest?: Uint8Array;
  /** The body in place of `body`. */
  readonly flow?: BodyFlow;
}

/** The engine's side of one accepted request. */
export interface EdgeExchange {
  /** Writes the whole answer, once, corked; a no-op after the client left. */
  answer(answer: EdgeAnswer): void;
  /** Peer address as `RequestHead` tells it; '' once the answer is written or the client is gone. */
  remoteAddress(): string;
  /** True once the client is gone. */
  readonly gone: boolean;
  /** The bytes of a body of fewer than so many are taken before `answer` returns: its buffer can be used again. */
  readonly copiesBelow: number;
}

/** The gateway's side of one accepted request. */
export interface RequestSink {
  /**
   * Sees the whole body before `onBody`, unless it came gzipped.
   * @returns whether that will do: then there is no `onBody`
   */
  glance?(body: Uint8Array, exchange: EdgeExchange): boolean;
  /** The whole body, inflated if it came gzipped. As with `glance`, the bytes are the engine's again afterwards. */
  onBody(body: Buffer, exchange: EdgeExchange): void;
  /**
   * The client left before its answer, or the edge refused the rest of the body: stop working for it.
   * Called at most once, and never after `answer`.
   */
  onGone(): void;
}

/** The engine's side of one WebSocket connection. Everything is a no-op once it is closed. */
export interface EdgeSocket {
  /** Sends one text message, after all that was sent or published to this connection before. */
  send(message: string | Uint8Array): void;
  /** Takes part in what is published under this name from now on. */
  join(topicId: string): void;
  leave(topicId: string): void;
  /** Bytes that were handed over and have not left. */
  bufferedBytes(): number;
  /** Closes with a code and a reason of at most 123 bytes. */
  end(code: number, reason: string): void;
}

/** The gateway's side of one WebSocket connection. */
export interface SocketSink {
  /** First of all, and once. */
  onOpen(socket: EdgeSocket): void;
  /** One whole message, text or binary; the receiver's to keep. */
  onMessage(message: Buffer): void;
  /** Some of what was buffered has left. */
  onDrain(): void;
  /** Last of all, and once. */
  onClose(): void;
}

/**
 * The application behind an engine. Framing, limits, CORS, media types and timeouts are judged by the edge
 * before this is asked, alike on every engine.
 */
export interface EdgeHandler {
  /** Reads what it needs from the head synchronously; returns a sink for the body, or a refusal. */
  onRequest(head: RequestHead): RequestSink | EdgeAnswer;
  /** The same for a request that asks for a WebSocket as RFC 6455 has it. */
  onUpgrade(head: RequestHead): SocketSink | EdgeAnswer;
}

/** A listening engine. */
export interface EdgeServer {
  readonly engine: 'uws' | 'node';
  readonly port: number;
  /** What new TLS connections are met with; null on a port of plain HTTP. */
  readonly certificate: Certificate | null;
  /**
   * Makes ready to meet new connections with another certificate; those that are open stay. Only on a port that has one.
   * @returns what puts it into force
   * @throws Error when the engine refuses it; nothing is changed then
   */
  renew(certificate: Certificate): () => void;
  /** Open client connections. */
  connections(): number;
  /** Sends a text message to every WebSocket connection that joined this name. */
  publish(topicId: string, message: string): void;
  /**
   * Stops accepting, answers what is under way with `connection: close`, closes WebSocket connections with code 1012 after their own
   * grace time, resolves when all is closed or `graceMs` is over.
   */
  drain(graceMs: number): Promise<void>;
}
