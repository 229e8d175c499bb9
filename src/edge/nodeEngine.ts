import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { foldAddress } from './address.ts';
import type { Call } from './call.ts';
import { EdgeCore } from './core.ts';
import { MAX_PIPELINED } from './limits.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import { parserFault, refuseOnSocket } from './nodeRefuse.ts';
import type { ParserError } from './nodeRefuse.ts';
import { writeNode } from './nodeWrite.ts';
import type { EdgeHandler, EdgeServer, RequestHead } from './port.ts';

type NodeCall = Call<ServerResponse>;

class NodeHead implements RequestHead {
  method = '';
  path = '';
  query = '';
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
    return foldAddress(this.#req?.socket.remoteAddress ?? '');
  }
}

/** Serves with node:http, whose parser refuses malformed framing. */
export class NodeEngine implements EdgeServer {
  readonly engine = 'node';
  port = 0;
  readonly #core: EdgeCore<ServerResponse>;
  readonly #head = new NodeHead();
  readonly #server: Server;
  /** Calls under way on each open connection, in order. */
  readonly #calls = new Map<Socket, NodeCall[]>();
  #drained: Promise<void> | null = null;

  constructor(options: EdgeOptions, handler: EdgeHandler, log: EdgeLog) {
    this.#core = new EdgeCore(options, handler, log, (call, answer) => writeNode(call, answer, options.bodyTimeoutMs));
    this.#core.onEnded = (call) => this.#onEnded(call);
    this.#server = createServer({
      insecureHTTPParser: false,
      // Judged with the rest of the head, so that the answer is the same on every engine.
      requireHostHeader: false,
      maxHeaderSize: options.maxHeaderBytes + 1024,
      headersTimeout: options.bodyTimeoutMs,
      // Only for bodies that nobody reads; the others are on the clock of the core.
      requestTimeout: options.bodyTimeoutMs * 3,
      connectionsCheckingInterval: Math.ceil(options.bodyTimeoutMs / 4),
      keepAliveTimeout: options.keepAliveTimeoutMs,
      noDelay: true,
    });
    // The count is judged; a parser that drops headers silently would hide them.
    this.#server.maxHeadersCount = 0;
    this.#server.maxConnections = options.maxConnections;
    const onRequest = (req: IncomingMessage, res: ServerResponse): void => this.#onRequest(req, res);
    this.#server.on('request', onRequest).on('checkContinue', onRequest).on('checkExpectation', onRequest);
    this.#server.on('connect', (_req, socket) => refuseOnSocket(socket, 'httpMethod'));
    this.#server.on('connection', (socket) => this.#onConnection(socket));
    this.#server.on('clientError', (error, socket) => this.#onClientError(error, socket as Socket));
  }

  /** Binds; rejects with the system's error. */
  async listen(): Promise<void> {
    const { host, port } = this.#core.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, exclusive: true }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  connections(): number {
    return this.#calls.size;
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      this.#core.draining = true;
      const timer = setTimeout(() => {
        for (const socket of this.#calls.keys()) socket.destroy();
      }, graceMs);
      this.#server.close(() => {
        clearTimeout(timer);
        this.#core.clock.stop();
        resolve();
      });
      for (const [socket, calls] of this.#calls) if (calls.length === 0) socket.destroySoon();
    });
    return this.#drained;
  }

  #onConnection(socket: Socket): void {
    const calls: NodeCall[] = [];
    this.#calls.set(socket, calls);
    socket.on('close', () => {
      this.#calls.delete(socket);
      for (const call of [...calls]) call.onGone();
    });
  }

  #onEnded(call: NodeCall): void {
    const calls = this.#calls.get(call.handle.req.socket);
    const at = calls?.indexOf(call) ?? -1;
    if (at >= 0) calls?.splice(at, 1);
  }

  #onRequest(req: IncomingMessage, res: ServerResponse): void {
    const core = this.#core;
    const head = this.#head;
    head.point(req);
    core.scan.reset(head.method, head.path, head.query);
    const raw = req.rawHeaders;
    for (let i = 0; i + 1 < raw.length; i += 2) core.scan.add((raw[i] ?? '').toLowerCase(), raw[i + 1] ?? '');
    const call = core.open(res);
    const calls = this.#calls.get(req.socket);
    calls?.push(call);
    if (req.httpVersion !== '1.1') call.refuse('httpVersion');
    else if ((calls?.length ?? 0) > MAX_PIPELINED) call.refuse('overloaded', 'too many requests in one pipeline');
    else core.begin(call, head);
    head.point(null);
    if (!call.receiving) return;
    if (core.scan.expects > 0) res.writeContinue();
    req.on('data', (piece: Buffer) => call.onPiece(piece));
    req.on('end', () => call.onLastPiece());
  }

  #onClientError(error: ParserError, socket: Socket): void {
    const calls = this.#calls.get(socket);
    const last = calls?.at(-1);
    const kind = parserFault(error);
    if (last === undefined) refuseOnSocket(socket, kind);
    else if (last.receiving) last.refuse(kind);
    // Answers that are due come first; nothing after them can be read.
    else last.closing = true;
  }
}
