import type { EdgeLog } from './limits.ts';

/** Connections in a row; checks that only connect must not look like a proxy at once. */
const IN_A_ROW = 4;

/**
 * Tells the operator once of clients that the edge cannot serve, above all of a proxy that speaks HTTP/1.0. Where the engine's
 * library refuses those by itself, all that shows is connections that come and go without a request.
 */
export class UnreadNotice {
  readonly #log: EdgeLog;
  #opened = 0;
  #ended = 0;
  #isTold = false;

  constructor(log: EdgeLog) {
    this.#log = log;
  }

  /** A request of another version of HTTP was refused. */
  onVersion(httpVersion: string): void {
    this.#tell({ httpVersion }, `a request in HTTP/${httpVersion} was refused with 505; behind nginx set proxy_http_version 1.1`);
  }

  /** A request was read. */
  onRequest(): void {
    this.#opened = 0;
    this.#ended = 0;
  }

  onOpened(): void {
    this.#opened += 1;
  }

  onEnded(): void {
    this.#ended += 1;
    // connections from before the last request end too
    if (Math.min(this.#opened, this.#ended) < IN_A_ROW) return;
    this.#tell(
      { connections: IN_A_ROW },
      `${IN_A_ROW} client connections in a row ended without a request that could be read: a proxy that speaks HTTP/1.0 is refused with 505 ` +
        '(behind nginx set proxy_http_version 1.1); plain HTTP and TLS mixed up, or checks that only connect, look the same',
    );
  }

  #tell(fields: object, text: string): void {
    if (this.#isTold) return;
    this.#isTold = true;
    this.#log.info(fields, text);
  }
}
