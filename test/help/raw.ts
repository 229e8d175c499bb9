import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';

/** One HTTP response as it came over the wire. */
export interface RawResponse {
  readonly status: number;
  /** Lower-case names; doubles joined by `, `. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** A TCP client that writes exact bytes and reads responses one by one. */
export class RawClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone, by whatever way. */
  readonly closed: Promise<void>;
  #pieces: Buffer[] = [];
  #sizeBytes = 0;
  #isClosed = false;
  #wake: (() => void) | null = null;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      this.#sizeBytes += piece.length;
      this.#wake?.();
    });
    // A reset is one of the ways to be closed.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#isClosed = true;
        this.#wake?.();
        resolve();
      });
    });
  }

  /** @param to a port, or the path of a Unix socket */
  static async open(to: number | string, host = '127.0.0.1'): Promise<RawClient> {
    const socket = typeof to === 'number' ? connect({ port: to, host }) : connect(to);
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', () => resolve());
      socket.once('error', reject);
    });
    return client;
  }

  /** As `open`, over TLS. @param options how the server is judged, such as `ca` */
  static async openTls(port: number, options: ConnectionOptions): Promise<RawClient> {
    const socket = connectTls({ port, host: '127.0.0.1', ...options });
    const client = new RawClient(socket);
    await new Promise<void>((resolve, reject) => {
      socket.once('secureConnect', () => resolve());
      socket.once('error', reject);
    });
    return client;
  }

  /** Writes bytes; a string is taken as latin1. */
  write(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  }

  /** Sends FIN after the bytes. */
  end(bytes = ''): void {
    this.socket.end(Buffer.from(bytes, 'latin1'));
  }

  /** Leaves at once. */
  leave(): void {
    this.socket.destroy();
  }

  /** The next response (`100 Continue` too), or null when the connection closed before a whole one. */
  async response(options: { readonly bodiless?: boolean } = {}): Promise<RawResponse | null> {
    let wantedBytes = 0;
    for (;;) {
      if (this.#sizeBytes >= wantedBytes || this.#isClosed) {
        const bytes = this.#joined();
        const parsed = parseResponse(bytes, options.bodiless === true, this.#isClosed);
        if (typeof parsed === 'object') {
          this.#pieces = [bytes.subarray(parsed.usedBytes)];
          this.#sizeBytes -= parsed.usedBytes;
          return parsed.response;
        }
        wantedBytes = parsed;
      }
      if (this.#isClosed) return null;
      await this.#more();
    }
  }

  /** Every response up to the end of the connection. */
  async responses(): Promise<RawResponse[]> {
    await this.closed;
    const all: RawResponse[] = [];
    for (let next = await this.response(); next !== null; next = await this.response()) all.push(next);
    return all;
  }

  /** Bytes that came and were not read as a response. */
  get leftover(): string {
    return this.#joined().toString('latin1');
  }

  #joined(): Buffer {
    const [first] = this.#pieces;
    if (this.#pieces.length === 1 && first !== undefined) return first;
    const bytes = Buffer.concat(this.#pieces);
    this.#pieces = [bytes];
    return bytes;
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = null;
        resolve();
      };
    });
  }
}

interface Parsed {
  readonly response: RawResponse;
  readonly usedBytes: number;
}

/** The first response in `bytes`, or how many bytes there must be before it is worth looking again. */
function parseResponse(bytes: Buffer, bodiless: boolean, closed: boolean): Parsed | number {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return bytes.length + 1;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(`${statusLine} `)?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) throw new Error(`no status line: ${JSON.stringify(statusLine)}`);
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const at = headEnd + 4;
  if (bodiless || status === 204 || status < 200) return { response: { status, headers, body: Buffer.alloc(0) }, usedBytes: at };
  if (headers['transfer-encoding'] !== undefined) throw new Error('a chunked answer');
  const length = headers['content-length'];
  if (length === undefined && !closed) return bytes.length + 1;
  const end = length === undefined ? bytes.length : at + Number(length);
  if (bytes.length < end) return end;
  return { response: { status, headers, body: bytes.subarray(at, end) }, usedBytes: end };
}

/** A POST with a Content-Length; `headers` are whole lines without their CRLF. */
export function post(body: string, headers: readonly string[] = [], path = '/'): string {
  const lines = ['Host: edge', ...headers, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`];
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}
