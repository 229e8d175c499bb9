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
  any(pattern: string, handler: (res: UwsResponse, req: UwsRequest) => void): UwsApp;
  filter(watcher: (res: UwsResponse, change: number) => void): UwsApp;
  listen(host: string, port: number, done: (token: object | false) => void): UwsApp;
  close(): UwsApp;
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
  writeHeader(name: string, value: string): UwsResponse;
  end(body: string | Uint8Array, closeConnection: boolean): UwsResponse;
  endWithoutBody(reportedLength?: number, closeConnection?: boolean): UwsResponse;
  tryEnd(body: Uint8Array, totalBytes: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): UwsResponse;
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
