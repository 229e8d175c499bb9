import { createServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Server as TlsServer } from 'node:https';
import { secureOptions } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import type { EdgeOptions } from './limits.ts';

/** The server of the `node` engine, for plain HTTP or for TLS. */
export function makeServer(options: EdgeOptions, certificate: Certificate | null): Server | TlsServer {
  const server = certificate === null ? createServer(httpOptions(options)) : makeTlsServer(options, certificate);
  // The count is judged; a parser that drops headers silently would hide them.
  server.maxHeadersCount = 0;
  server.maxConnections = options.maxConnections;
  return server;
}

/** Meets connections from now on with another certificate. */
export function useCertificate(server: TlsServer, { tls, cert, key }: Certificate): void {
  server.setSecureContext(secureOptions(tls, { cert, key }));
}

function makeTlsServer(options: EdgeOptions, { tls, cert, key }: Certificate): TlsServer {
  const own = { handshakeTimeout: options.bodyTimeoutMs, ALPNProtocols: ['http/1.1'] };
  return createTlsServer({ ...httpOptions(options), ...secureOptions(tls, { cert, key }), ...own });
}

function httpOptions(options: EdgeOptions): ServerOptions {
  return {
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
  };
}
