import type { Call } from './call.ts';
import type { Certificate } from './certificate.ts';
import { EdgeCore } from './core.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import type { EdgeHandler, EdgeServer, RequestHead, SocketSink } from './port.ts';
import { foldAddress } from './address.ts';
import type { UwsApp, UwsModule, UwsRequest, UwsResponse } from './uwsLoad.ts';
import { UwsSockets } from './uwsSockets.ts';
import { makeTlsApp } from './uwsTls.ts';
import { COPY_BYTES, UwsWriter } from './uwsWrite.ts';

const UNTOLD_LENGTH = 'close'.length;

/** The head of the request being opened; one object per server, pointed at each request in turn. */
class UwsHead implements RequestHead {
  method = '';
  path = '';
  query = '';
  minBlock = '';
  cacheControl = '';
  #req: UwsRequest | null = null;
  #res: UwsResponse | null = null;

  point(req: UwsRequest | null, res: UwsResponse | null): void {
    this.#req = req;
    this.#res = res;
  }

  header(name: string): string {
    return this.#req?.getHeader(name) ?? '';
  }

  remoteAddress(): string {
    return this.#res === null ? '' : addressOf(this.#res);
  }
}

function addressOf(res: UwsResponse): string {
  return foldAddress(Buffer.from(res.getRemoteAddressAsText()).toString('latin1'));
}

/** One application of the library: it keeps the certificate that it was made with. */
interface UwsListener {
  readonly app: UwsApp;
  readonly certificate: Certificate | null;
  /** What it listens by; null before and after. */
  token: object | null;
  connections: number;
}

/** The library, and what it serves TLS with. */
export interface UwsLibrary {
  readonly uws: UwsModule;
  readonly certificate: Certificate | null;
}

/** Serves with uWebSockets.js on a port that `listen` has proved free. */
export class UwsEngine implements EdgeServer {
  readonly engine = 'uws';
  port = 0;
  readonly #uws: UwsModule;
  #listener: UwsListener;
  readonly #core: EdgeCore<UwsResponse>;
  readonly #head = new UwsHead();
  readonly #sockets = new UwsSockets();
  readonly #writer = new UwsWriter();
  readonly #addHeader: (name: string, value: string) => void;
  /** Listeners of earlier certificates whose connections are still open, and the one that listens. */
  readonly #listeners = new Set<UwsListener>();
  #connections = 0;
  #drained: Promise<void> | null = null;

  constructor(library: UwsLibrary, options: EdgeOptions, handler: EdgeHandler, log: EdgeLog) {
    this.#uws = library.uws;
    this.#core = new EdgeCore(options, handler, log, { write: this.#writer.write, addressOf, copiesBelow: COPY_BYTES });
    const scan = this.#core.scan;
    this.#addHeader = (name, value) => scan.add(name, value);
    this.#listener = this.#makeListener(library.certificate);
  }

  get certificate(): Certificate | null {
    return this.#listener.certificate;
  }

  /**
   * Binds; false when the address cannot be bound.
   * @param port not 0: the library lets another listener share only a port that was asked for by number
   */
  listen(port: number): boolean {
    this.port = port;
    return this.#open(this.#listener);
  }

  renew(certificate: Certificate): () => void {
    const next = this.#makeListener(certificate);
    return () => {
      if (this.#core.draining) return;
      const old = this.#listener;
      // Both listen for a moment, so that the port is never closed.
      if (!this.#open(next)) throw new Error(`cannot listen on ${this.#core.options.host}:${this.port} with the new certificate`);
      this.#listener = next;
      // Right after the loop has accepted what waited: connections that the old one has not accepted are reset.
      setImmediate(() => this.#retire(old));
    };
  }

  connections(): number {
    return this.#connections;
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      const core = this.#core;
      core.draining = true;
      for (const listener of this.#listeners) this.#hush(listener);
      const close = (): void => {
        core.onIdle = this.#sockets.onEmpty = null;
        clearTimeout(timer);
        clearTimeout(restart);
        for (const { app } of this.#listeners) app.close();
        core.clock.stop();
        resolve();
      };
      const timer = setTimeout(close, graceMs);
      const restart = setTimeout(() => this.#sockets.restart(), Math.min(graceMs / 2, core.options.webSocket.drainGraceMs));
      // Not from inside one of the library's callbacks, and a call may have begun meanwhile.
      const closeIfIdle = (): void => {
        setImmediate(() => {
          if (core.underWay === 0 && this.#sockets.size === 0 && core.onIdle !== null) close();
        });
      };
      core.onIdle = this.#sockets.onEmpty = closeIfIdle;
      closeIfIdle();
    });
    return this.#drained;
  }

  #makeListener(certificate: Certificate | null): UwsListener {
    const app = certificate === null ? this.#uws.App() : makeTlsApp(this.#uws, certificate);
    const listener: UwsListener = { app, certificate, token: null, connections: 0 };
    app.filter((res, change) => this.#onConnection(listener, change, res));
    const port = { accept: (res: UwsResponse, req: UwsRequest) => this.#onUpgrade(res, req), closed: () => this.#onConnection(listener, -1, null) };
    app.ws('/*', this.#sockets.behavior(this.#core.options.webSocket, port));
    // the library tells methods apart by their exact letters; asking it for them would cost a string
    app.post('/*', (res, req) => this.#onRequest(res, req, 'POST'));
    app.any('/*', (res, req) => this.#onRequest(res, req, req.getCaseSensitiveMethod()));
    return listener;
  }

  #open(listener: UwsListener): boolean {
    listener.app.listen(this.#core.options.host, this.port, (token) => {
      listener.token = token === false ? null : token;
    });
    if (listener.token === null) return false;
    this.#listeners.add(listener);
    return true;
  }

  /** Accepts no more; what is open stays. */
  #hush(listener: UwsListener): void {
    if (listener.token !== null) this.#uws.us_listen_socket_close(listener.token);
    listener.token = null;
  }

  #retire(listener: UwsListener): void {
    this.#hush(listener);
    if (listener.connections === 0) this.#listeners.delete(listener);
  }

  /** Counts a connection in or out. @param res of one that may be one too many */
  #onConnection(listener: UwsListener, change: number, res: UwsResponse | null): void {
    this.#connections += change > 0 ? 1 : -1;
    listener.connections += change > 0 ? 1 : -1;
    if (change > 0) this.#core.notice.onOpened();
    else this.#core.notice.onEnded();
    if (change > 0 && this.#connections > this.#core.options.maxConnections) res?.close();
    else if (listener.token === null && listener.connections === 0) this.#listeners.delete(listener);
  }

  publish(topicId: string, message: string): void {
    for (const { app } of this.#listeners) app.publish(topicId, message, false, false);
  }

  #onRequest(res: UwsResponse, req: UwsRequest, method: string): void {
    const call = this.#read(res, req, method);
    this.#writer.corked = call;
    this.#core.begin(call, this.#head);
    this.#writer.corked = null;
    this.#head.point(null, null);
    if (call.receiving) this.#receive(res, call);
  }

  #onUpgrade(res: UwsResponse, req: UwsRequest): SocketSink | null {
    const call = this.#read(res, req, req.getCaseSensitiveMethod());
    const sink = this.#core.upgrade(call, this.#head);
    this.#head.point(null, null);
    return sink;
  }

  /** Scans a request's head and opens a call for it. */
  #read(res: UwsResponse, req: UwsRequest, method: string): Call<UwsResponse> {
    const core = this.#core;
    const head = this.#head;
    core.notice.onRequest();
    head.method = method;
    head.path = req.getUrl();
    head.query = req.getQuery() ?? '';
    core.scan.reset(head.method, head.path, head.query);
    req.forEach(this.#addHeader);
    head.minBlock = core.scan.minBlock;
    head.cacheControl = core.scan.cacheControl;
    const call = core.open(res);
    // the library takes any value of this length for `close`
    call.closesUntold = core.scan.connection.length === UNTOLD_LENGTH;
    // First of all: the library ends the process over a pending response without it.
    res.onAborted(() => call.onGone());
    head.point(req, res);
    return call;
  }

  #receive(res: UwsResponse, call: Call<UwsResponse>): void {
    res.onData((piece, isLast) => {
      const bytes = new Uint8Array(piece);
      this.#writer.corked = call;
      if (isLast) call.onLastPiece(bytes);
      else if (bytes.byteLength > 0) call.onPiece(bytes);
      this.#writer.corked = null;
    });
  }
}
