import type { Call } from './call.ts';
import { EdgeCore } from './core.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import type { EdgeHandler, EdgeServer, RequestHead } from './port.ts';
import { foldAddress } from './address.ts';
import type { UwsApp, UwsModule, UwsRequest, UwsResponse } from './uwsLoad.ts';
import { UwsWriter } from './uwsWrite.ts';

/** The head of the request being opened; one object per server, pointed at each request in turn. */
class UwsHead implements RequestHead {
  method = '';
  path = '';
  query = '';
  minBlock = '';
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

/** Serves with uWebSockets.js on a port that `listen` has proved free. */
export class UwsEngine implements EdgeServer {
  readonly engine = 'uws';
  port = 0;
  readonly #uws: UwsModule;
  readonly #app: UwsApp;
  readonly #core: EdgeCore<UwsResponse>;
  readonly #head = new UwsHead();
  readonly #addHeader: (name: string, value: string) => void;
  #connections = 0;
  #token: object | null = null;
  #drained: Promise<void> | null = null;

  constructor(uws: UwsModule, options: EdgeOptions, handler: EdgeHandler, log: EdgeLog) {
    this.#uws = uws;
    this.#core = new EdgeCore(options, handler, log, { write: new UwsWriter().write, addressOf });
    const scan = this.#core.scan;
    this.#addHeader = (name, value) => scan.add(name, value);
    this.#app = uws.App();
    this.#app.filter((res, change) => this.#onConnection(res, change));
    this.#app.any('/*', (res, req) => this.#onRequest(res, req));
  }

  /** Binds; false when the address cannot be bound. */
  listen(): boolean {
    const { host, port } = this.#core.options;
    this.#app.listen(host, port, (token) => {
      if (token === false) return;
      this.#token = token;
      this.port = this.#uws.us_socket_local_port(token);
    });
    return this.#token !== null;
  }

  connections(): number {
    return this.#connections;
  }

  drain(graceMs: number): Promise<void> {
    this.#drained ??= new Promise((resolve) => {
      const core = this.#core;
      core.draining = true;
      if (this.#token !== null) this.#uws.us_listen_socket_close(this.#token);
      this.#token = null;
      const close = (): void => {
        core.onIdle = null;
        clearTimeout(timer);
        this.#app.close();
        core.clock.stop();
        resolve();
      };
      const timer = setTimeout(close, graceMs);
      // Not from inside one of the library's callbacks, and a call may have begun meanwhile.
      const closeIfIdle = (): void => {
        setImmediate(() => {
          if (core.underWay === 0 && core.onIdle !== null) close();
        });
      };
      core.onIdle = closeIfIdle;
      if (core.underWay === 0) closeIfIdle();
    });
    return this.#drained;
  }

  #onConnection(res: UwsResponse, change: number): void {
    this.#connections += change > 0 ? 1 : -1;
    if (change > 0 && this.#connections > this.#core.options.maxConnections) res.close();
  }

  #onRequest(res: UwsResponse, req: UwsRequest): void {
    const core = this.#core;
    const head = this.#head;
    head.method = req.getCaseSensitiveMethod();
    head.path = req.getUrl();
    head.query = req.getQuery() ?? '';
    core.scan.reset(head.method, head.path, head.query);
    req.forEach(this.#addHeader);
    head.minBlock = core.scan.minBlock;
    const call = core.open(res);
    // First of all: the library ends the process over a pending response without it.
    res.onAborted(() => call.onGone());
    head.point(req, res);
    core.begin(call, head);
    head.point(null, null);
    if (call.receiving) this.#receive(res, call);
  }

  #receive(res: UwsResponse, call: Call<UwsResponse>): void {
    res.onData((piece, isLast) => {
      const bytes = new Uint8Array(piece);
      if (isLast) call.onLastPiece(bytes);
      else if (bytes.byteLength > 0) call.onPiece(bytes);
    });
  }
}
