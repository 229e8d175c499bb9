import { createRequire } from 'node:module';

/** The part of uWebSockets.js that the edge uses; all of it exists in the binary for Node 20. */
export interface UwsModule {
  App(): UwsApp;
  /** Reads the files at once; throws when it refuses them. */
  SSLApp(options: UwsTlsOptions): UwsApp;
  us_listen_socket_close(token: object): void;
  us_socket_local_port(token: object): number;
  _cfg(key: string): void;
}

export interface UwsTlsOptions {
  readonly cert_file_name: string;
  readonly key_file_name: string;
  readonly passphrase?: string;
  /** Ciphers of TLS 1.2, in OpenSSL's notation; those of TLS 1.3 are fixed. */
  readonly ssl_ciphers?: string;
}

export interface UwsApp {
  post(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  any(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  filter(watcher: (res: UwsResponse, change: number) => void): UwsApp;
  ws(pattern: string, behavior: UwsBehavior): UwsApp;
  publish(topic: string, message: string, isBinary: boolean, compress: boolean): boolean;
  listen(host: string, port: number, done: (token: object | false) => void): UwsApp;
  close(): UwsApp;
}

/** How WebSocket connections are handled. The handlers' arguments are valid only within them. */
export interface UwsBehavior {
  readonly maxPayloadLength: number;
  /** Seconds; a multiple of 4 from 8 to 960. */
  readonly idleTimeout: number;
  readonly maxBackpressure: number;
  readonly sendPingsAutomatically: boolean;
  readonly compression: number;
  upgrade(res: UwsResponse, req: UwsRequest, context: object): void;
  open(ws: UwsSocketHandle): void;
  message(ws: UwsSocketHandle, message: ArrayBuffer, isBinary: boolean): void;
  drain(ws: UwsSocketHandle): void;
  /** A message was left out because too much was unsent. */
  dropped(ws: UwsSocketHandle): void;
  close(ws: UwsSocketHandle): void;
}

/** One connection; any use after `close` throws. */
export interface UwsSocketHandle {
  getUserData(): object;
  /** 0 = buffered, 1 = sent, 2 = dropped. */
  send(message: string | Uint8Array, isBinary: boolean, compress: boolean): number;
  subscribe(topic: string): boolean;
  unsubscribe(topic: string): boolean;
  getBufferedAmount(): number;
  end(code: number, reason: string): void;
  close(): void;
}

export interface UwsRequest {
  getCaseSensitiveMethod(): string;
  getUrl(): string;
  getQuery(): string | undefined;
  getHeader(name: string): string;
  forEach(visit: (name: string, value: string) => void): void;
}

export interface UwsResponse {
  writeStatus(status: string): UwsResponse;
  writeHeader(name: string | Uint8Array, value: string | Uint8Array): UwsResponse;
  end(body: string | Uint8Array, closeConnection: boolean): UwsResponse;
  endWithoutBody(reportedLength?: number, closeConnection?: boolean): UwsResponse;
  /** Sends a piece in chunked coding; false = some of it is buffered. */
  write(piece: Uint8Array): boolean;
  tryEnd(body: Uint8Array, totalBytes: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
  upgrade(userData: object, key: string, protocol: string, extensions: string, context: object): void;
  onAborted(handler: () => void): UwsResponse;
  onData(handler: (piece: ArrayBuffer, isLast: boolean) => void): UwsResponse;
  cork(write: () => void): UwsResponse;
  close(): UwsResponse;
  getRemoteAddressAsText(): ArrayBuffer;
}

// The library reads its own limit from the environment once, when it is loaded. It is set above every sensible
// `maxHeaderBytes`, which the edge enforces itself.
const LIBRARY_HEADER_BYTES = 1 << 18;

/** Loads the native library. Throws where its binary does not fit this Node, C library or processor. */
export function loadUws(): UwsModule {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(LIBRARY_HEADER_BYTES);
  const uws = createRequire(import.meta.url)('uWebSockets.js') as UwsModule;
  // Drops its `uWebSockets` answer header.
  uws._cfg('999999990007');
  return uws;
}
