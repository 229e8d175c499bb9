import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { isIP } from 'node:net';
import type { AddressInfo } from 'node:net';
import { jsonReply, matchRoute, splitPath } from './adminRoute.ts';
import type { AdminReply, AdminRoute, AdminStream } from './adminRoute.ts';
import { bindError } from './bindError.ts';
import { BodyBuffer } from './bodyBuffer.ts';
import type { EdgeLog } from './limits.ts';

export interface AdminOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /**
   * Host names under which it may be reached, beside `localhost` and addresses; others get 421, so that a web page
   * cannot reach it by pointing a name of its own here. Null: any. Absent: none on a loopback address, any elsewhere.
   */
  readonly hostNames?: readonly string[] | null;
  /** Limit of a request's body; default 64 KiB. */
  readonly maxBodyBytes?: number;
}

const MAX_BODY_BYTES = 64 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const CLOSE_GRACE_MS = 1000;

const LOOPBACK = /^(?:localhost|127\..*|::1)$/;

const refuse = (status: number, error: string): AdminReply => jsonReply({ error }, status);

/** The admin port's server: always node:http, so that health checkers that speak HTTP/1.0 are served. */
export class AdminServer {
  port = 0;
  readonly #options: AdminOptions;
  readonly #routes: readonly AdminRoute[];
  readonly #log: EdgeLog;
  readonly #server: Server;
  readonly #streams = new Set<ServerResponse>();
  #closed: Promise<void> | null = null;

  constructor(options: AdminOptions, routes: readonly AdminRoute[], log: EdgeLog) {
    this.#options = options;
    this.#routes = routes;
    this.#log = log;
    this.#server = createServer(
      { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, connectionsCheckingInterval: 1000, requireHostHeader: false },
      (req, res) => void this.#serve(req, res),
    );
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws Error naming host and port when it cannot bind */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error) => reject(bindError('admin', this.#options, error as NodeJS.ErrnoException)));
      this.#server.listen({ host, port, exclusive: true }, resolve);
    });
    this.port = (this.#server.address() as AddressInfo).port;
  }

  /** Stops accepting, waits up to `graceMs` for answers under way, then cuts what is left. */
  close(graceMs = CLOSE_GRACE_MS): Promise<void> {
    this.#closed ??= new Promise((resolve) => {
      const timer = setTimeout(() => this.#server.closeAllConnections(), graceMs);
      for (const res of this.#streams) res.end();
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
    });
    return this.#closed;
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    let reply: AdminReply;
    try {
      reply = await this.#answer(req);
    } catch (error) {
      this.#log.error({ err: error, path: req.url }, 'an admin request failed');
      reply = refuse(500, 'internal error; the log has the details');
    }
    if (res.destroyed) return;
    if (reply.stream !== undefined && req.method === 'GET' && this.#closed === null) return this.#stream(reply, reply.stream, res);
    const sizeBytes = typeof reply.body === 'string' ? Buffer.byteLength(reply.body) : reply.body.byteLength;
    // What was not read of the body would be taken for the next request, or keep the connection busy.
    const connection = req.complete && this.#closed === null ? {} : { connection: 'close' };
    res.writeHead(reply.status, { 'content-length': sizeBytes, 'cache-control': 'no-store', ...reply.headers, ...connection });
    res.end(reply.body);
  }

  #stream({ status, headers }: AdminReply, stream: AdminStream, res: ServerResponse): void {
    this.#streams.add(res);
    res.writeHead(status, { 'cache-control': 'no-store', ...headers, connection: 'close' });
    res.flushHeaders();
    const reader = stream.open({ write: (text) => res.write(text), cut: () => void res.destroy() });
    res.on('drain', () => reader.onDrain());
    res.once('close', () => {
      this.#streams.delete(res);
      reader.onClose();
    });
  }

  async #answer(req: IncomingMessage): Promise<AdminReply> {
    const url = req.url ?? '';
    const mark = url.indexOf('?');
    const segments = splitPath(mark < 0 ? url : url.slice(0, mark));
    if (segments === null) return refuse(400, 'the path is malformed');
    const host = req.headers.host;
    if (host !== undefined && !this.#knowsHost(host)) return refuse(421, 'unknown Host; name it in the config, or use the address');
    const method = req.method ?? '';
    const match = matchRoute(this.#routes, method, segments);
    if (match.route === null) {
      if (match.allowed.length === 0) return refuse(404, 'no such path');
      const reply = refuse(405, `use ${match.allowed.join(' or ')}`);
      return { ...reply, headers: { ...reply.headers, allow: match.allowed.join(', ') } };
    }
    const body = await readBody(req, this.#options.maxBodyBytes ?? MAX_BODY_BYTES);
    if (body === null) return refuse(413, 'the body is too large');
    const query = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
    const header = (name: string): string => String(req.headers[name] ?? '');
    return await match.route.handler({ method, params: match.params, query, header, body });
  }

  #knowsHost(value: string): boolean {
    const { hostNames } = this.#options;
    if (hostNames === null || (hostNames === undefined && !LOOPBACK.test(this.#options.host))) return true;
    const name = value.toLowerCase().replace(/:\d*$/, '');
    return name === 'localhost' || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || hostNames?.includes(name) === true;
  }
}

/** The whole body, or null when it is over the limit. Rejects when the client leaves. */
async function readBody(req: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  const body = new BodyBuffer();
  if (Number(req.headers['content-length'] ?? 0) > maxBytes) return null;
  // Leaving the loop must not destroy the connection that the refusal goes out on.
  for await (const piece of req.iterator({ destroyOnReturn: false })) {
    if (body.sizeBytes + piece.length > maxBytes) return null;
    body.append(piece);
  }
  return body.take();
}

/** Starts the admin server. */
export async function listenAdmin(options: AdminOptions, routes: readonly AdminRoute[], log: EdgeLog): Promise<AdminServer> {
  const server = new AdminServer(options, routes, log);
  await server.listen();
  return server;
}
