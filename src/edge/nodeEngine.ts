import { ServerResponse } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { Server as TlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { foldAddress } from './address.ts';
import type { Call } from './call.ts';
import type { Certificate } from './certificate.ts';
import { Handshakes } from './handshakes.ts';
import { EdgeCore } from './core.ts';
import { MAX_PIPELINED } from './limits.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import { asksForSocket } from './judgeUpgrade.ts';
import { parserFault, refuseOnSocket } from './nodeRefuse.ts';
import type { ParserError } from './nodeRefuse.ts';
import { makeServer, useCertificate } from './nodeServer.ts';
import { NodeSockets } from './nodeSockets.ts';
import { ignoreUpgrade } from './nodeUpgrade.ts';
import { writeNode } from './nodeWrite.ts';
import type { EdgeAnswer, EdgeHandler, EdgeServer, RequestHead } from './port.ts';

const NOTHING = Buffer.alloc(0);
// Connections that wait to be accepted; one over it loses a second or more. The system may cap it (somaxconn).
const BACKLOG = 4096;

type NodeCall = Call<ServerResponse>;

/** One open connection. */
interface NodeConnection {
  /** Calls under way, in order. */
  readonly calls: NodeCall[];
  /** Its last answer is decided: whatever else it sends is not read. */
  closing: boolean;
  /** It has become a WebSocket. */
  isSocket: boolean;
}

class NodeHead implements RequestHead {
  method = '';
  path = '';
  query = '';
  minBlock = '';
  cacheControl = '';
  #req: IncomingMessage | null = null;

  point(req: IncomingMessage | null): void {
    this.#req = req;
    const url = req?.url ?? '';
    const mark = url.indexOf('?');
    this.method = req?.method ?? '';
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? '' : url.slice(mark + 1);
  }

  header(name: string): string {
    const raw = this.#req?.rawHeaders ?? [];
    for (let i = 0; i + 1 < raw.length; i += 2) {
      if (raw[i]?.length === name.length && raw[i]?.toLowerCase() === name) return raw[i + 1] ?? '';
    }
    return '';
  }

  remoteAddress(): string {
    return this.#req === null ? '' : addressOf(this.#req);
  }
}

const addressOf = (req: IncomingMessage): string => foldAddress(req.socket.remoteAddress ?? '');

/** Serves with node:http, whose parser refuses malformed framing. */
export class NodeEngine implements EdgeServer {
  readonly engine = 'node';
  port = 0;
  readonly #core: EdgeCore<ServerResponse>;
  readonly #head = new NodeHead();
  certificate: Certificate | null;
  readonly #server: Server | TlsServer;
  readonly #handshakes = new Handshakes();
  readonly #sockets: NodeSockets;
  readonly #connections = new Map<Socket, NodeConnection>();
  #drained: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;

  constructor(options: EdgeOptions, certificate: Certificate | null, handler: EdgeHandler, log: EdgeLog) {
    this.#core = new EdgeCore(options, handler, log, {
      write: (call, answer) => this.#write(call, answer),
      addressOf: ({ req }) => addressOf(req),
      copiesBelow: 0,
    });
    this.#sockets = new NodeSockets(options.webSocket);
    this.#core.onEnded = (call) => this.#onEnded(call);
    this.#server = makeServer(options, certificate);
    this.certificate = certificate;
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => this.#onRequest(req, res);
    this.#server.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest);
    this.#server.on('upgrade', (req, socket, first) => this.#onUpgrade(req, socket as Socket, first));
    this.#server.on('connect', (_req, socket) => refuseOnSocket(socket, 'httpMethod'));
    if (this.#server instanceof TlsServer) {
      this.#server.on('connection', (socket: Socket) => this.#handshakes.add(socket));
      this.#server.on('secureConnection', (socket: TLSSocket) => {
        this.#handshakes.end(socket);
        this.#onConnection(socket);
      });
      this.#handshakes.onEmpty = () => this.#endIfEmpty();
    } else {
      this.#server.on('connection', (socket: Socket) => this.#onConnection(socket));
    }
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
  }

  /** Binds, in a worker of a cluster together with the others if `shared`; rejects with the system's error. */
  async listen(shared = false): Promise<void> {
    const { host, port } = this.#core.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, exclusive: !shared, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  renew(certificate: Certificate): () => void {
    const server = this.#server;
    if (!(server instanceof TlsServer)) throw new Error('the client port speaks plain HTTP');
    return () => {
      useCertificate(server, certificate);
      this.certificate = certificate;
    };
  }

  connections(): number {
    return this.#connections.size + this.#handshakes.size;
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#core.draining = true;
      const timer = setTimeout(() => {
        for (const socket of this.#connections.keys()) socket.destroy();
      }, graceMs);
      const restart = setTimeout(() => this.#sockets.restart(), Math.min(graceMs / 2, this.#core.options.webSocket.drainGraceMs));
      this.#onEmpty = () => {
        clearTimeout(timer);
        clearTimeout(restart);
        // Ends its check for slow requests.
        this.#server.close();
        this.#core.clock.stop();
        resolve();
      };
      // Not the HTTP server's own close: it destroys connections whose last answer is still being read.
      NetServer.prototype.close.call(this.#server);
      for (const [socket, { calls, isSocket }] of this.#connections) if (calls.length === 0 && !isSocket) socket.destroySoon();
      this.#handshakes.destroy();
      this.#endIfEmpty();
    });
    return this.#drained;
  }

  #onConnection(socket: Socket): void {
    // one whose request is read again
    if (this.#connections.has(socket)) return;
    const connection: NodeConnection = { calls: [], closing: false, isSocket: false };
    this.#connections.set(socket, connection);
    socket.on('close', () => {
      this.#connections.delete(socket);
      for (const call of [...connection.calls]) call.onGone();
      this.#endIfEmpty();
    });
  }

  #endIfEmpty(): void {
    if (this.connections() === 0) this.#onEmpty?.();
  }

  publish(topicId: string, message: string): void {
    this.#sockets.publish(topicId, message);
  }

  #onUpgrade(req: IncomingMessage, socket: Socket, first: Buffer): void {
    const connection = this.#connections.get(socket);
    // the parser has let go of it
    socket.on('error', () => socket.destroy());
    if (connection === undefined || connection.closing) {
      socket.destroy();
      return;
    }
    const core = this.#core;
    this.#scan(req);
    if (!asksForSocket(core.scan)) {
      this.#head.point(null);
      ignoreUpgrade(req, socket, first);
      this.#server.emit(this.#server instanceof TlsServer ? 'secureConnection' : 'connection', socket);
      return;
    }
    // answers that are due come first, and would go out as frames
    if (connection.calls.length > 0) {
      socket.destroy();
      return;
    }
    const res = new ServerResponse(req);
    res.assignSocket(socket);
    const call = core.open(res);
    connection.calls.push(call);
    if (req.httpVersion !== '1.1') call.refuse('httpVersion');
    const sink = req.httpVersion !== '1.1' ? null : core.upgrade(call, this.#head);
    this.#head.point(null);
    if (sink === null) return;
    res.detachSocket(socket);
    connection.isSocket = true;
    this.#sockets.accept(req, socket, first, sink);
  }

  /** Reads a request's head into the scan of the core. */
  #scan(req: IncomingMessage): void {
    const { scan } = this.#core;
    const head = this.#head;
    head.point(req);
    scan.reset(head.method, head.path, head.query);
    const raw = req.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) scan.add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '');
    head.minBlock = scan.minBlock;
    head.cacheControl = scan.cacheControl;
  }

  #onEnded(call: NodeCall): void {
    const connection = this.#connections.get(call.handle.req.socket);
    if (connection === undefined) return;
    const at = connection.calls.indexOf(call);
    if (at >= 0) connection.calls.splice(at, 1);
    const last = connection.closing || this.#core.draining;
    if (last && connection.calls.length === 0) call.handle.req.socket.destroySoon();
  }

  #write(call: NodeCall, answer: EdgeAnswer): void {
    const connection = this.#connections.get(call.handle.req.socket);
    if (call.closing && connection !== undefined) connection.closing = true;
    writeNode(call, answer, this.#core.options.bodyTimeoutMs);
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const core = this.#core;
    const head = this.#head;
    const connection = this.#connections.get(req.socket);
    if (connection === undefined || connection.closing) return;
    this.#scan(req);
    const call = core.open(res);
    connection.calls.push(call);
    if (req.httpVersion !== '1.1') {
      core.notice.onVersion(req.httpVersion);
      call.refuse('httpVersion');
    } else if (connection.calls.length > MAX_PIPELINED) {
      call.refuse('overloaded', 'too many requests in one pipeline');
    } else {
      core.begin(call, head);
    }
    head.point(null);
    if (!call.receiving) return;
    if (core.scan.expects > 0) res.writeContinue();
    req.on('data', (piece: Buffer) => call.onPiece(piece));
    req.on('end', () => call.onLastPiece(NOTHING));
  }

  #onClientError(error: ParserError, socket: Socket): void {
    const connection = this.#connections.get(socket);
    const last = connection?.calls.at(-1);
    const kind = parserFault(error);
    if (connection === undefined) socket.destroy();
    else if (last === undefined && !connection.closing) refuseOnSocket(socket, kind);
    else if (last !== undefined && !last.handle.req.complete) last.refuse(kind);
    // Answers that are due come first; nothing after them can be read.
    else if (last !== undefined) last.closing = true;
    if (connection !== undefined) connection.closing = true;
  }
}
