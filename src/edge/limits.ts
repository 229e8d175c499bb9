import type { TlsConfig } from '../config/tls.ts';

/** Who may call from a browser. */
export interface CorsOptions {
  /** Origins as browsers send them (`https://app.example`), or `*` for all. Empty: no browser may call. */
  readonly origins: readonly string[];
  /** How long a browser keeps a preflight's answer, in seconds. */
  readonly maxAgeS: number;
}

/** What the edge needs of the `server` section: sizes in bytes, times in milliseconds. */
export interface EdgeOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  readonly engine: 'auto' | 'uws' | 'node';
  /** A connection over it is closed at once. */
  readonly maxConnections: number;
  /** Sum over all header lines of name, value and four bytes. */
  readonly maxHeaderBytes: number;
  /** The body as sent. */
  readonly maxBodyBytes: number;
  /** A gzip body after inflation. */
  readonly maxInflatedBytes: number;
  /** Time for a body to arrive, and for a reader of a large answer to take something. */
  readonly bodyTimeoutMs: number;
  /** How long an idle connection is kept; `uws` has 10 s built in. */
  readonly keepAliveTimeoutMs: number;
  readonly refuseChunked: boolean;
  /** Answers of this size or more are gzipped for those who accept it; 0 = never. */
  readonly gzipAboveBytes: number;
  readonly cors: CorsOptions;
  /** Files to serve TLS with; without names, plain HTTP. */
  readonly tls: TlsConfig;
  readonly webSocket: SocketOptions;
}

/** What the edge needs of `server.webSocket`. */
export interface SocketOptions {
  readonly enabled: boolean;
  readonly maxMessageBytes: number;
  /** Without a sign of life for so long a connection is closed. */
  readonly idleTimeoutMs: number;
  readonly softLimitBytes: number;
  readonly hardLimitBytes: number;
  /** Time between the stop of the listener and close code 1012. */
  readonly drainGraceMs: number;
}

/** Close code of a server that goes away and may come back (IANA registry). */
export const SERVICE_RESTART = 1012;
/** Close code for a connection that cannot be served as it reads too slowly: try again later. */
export const TRY_AGAIN_LATER = 1013;

/** Header lines per request. The `uws` engine cannot hold more. */
export const MAX_HEADER_LINES = 98;

/** Pipelined requests under way on one connection of the `node` engine. */
export const MAX_PIPELINED = 64;

/** Answers being compressed at once; those above go out plain. */
export const MAX_GZIP_JOBS = 8;

/** The two log calls the edge makes; a pino logger fits. */
export interface EdgeLog {
  info(fields: object, text: string): void;
  error(fields: object, text: string): void;
}
