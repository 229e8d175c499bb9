import { STATUS_CODES } from 'node:http';
import type { Call } from './call.ts';
import type { EdgeAnswer } from './port.ts';
import { sendFlow } from './uwsFlow.ts';
import type { UwsResponse } from './uwsLoad.ts';

// `end` copies what the socket does not take at once; from here on the body is sent from where it lies.
export const COPY_BYTES = 64 * 1024;
const KEPT_BLOCKS = 16;
// The library closes a connection that is idle for 11 to 12 s, at any moment for its client: clients that heed this drop it before.
const IDLE_HINT = '\r\nkeep-alive: timeout=10';

/** A list of headers as one header; bytes, which the library need not measure and convert. */
interface HeaderBlock {
  readonly name: Uint8Array;
  /** Ends with the hint, which is ASCII. */
  readonly value: Uint8Array;
}

/** Writes answers to uws responses: small ones in one corked write, large ones as fast as the reader takes them. */
export class UwsWriter {
  readonly #statusLines = new Map<number, string>();
  /** The lists of headers met last, and their bytes. */
  readonly #lists: (readonly string[])[] = [];
  readonly #blocks: HeaderBlock[] = [];
  #oldest = 0;
  /** The call whose callback the library is in: it has corked that one itself, and uncorks it afterwards. */
  corked: Call<UwsResponse> | null = null;
  #call: Call<UwsResponse> | null = null;
  #answer: EdgeAnswer | null = null;

  readonly write = (call: Call<UwsResponse>, answer: EdgeAnswer): void => {
    // The library goes on parsing what it has read after an answer that closes: a request hidden behind the refused
    // one would be served. While an answer is pending it closes the connection at the next request instead.
    if (call.refused) setImmediate(() => call.over || this.#writeNow(call, answer));
    else this.#writeNow(call, answer);
  };

  #writeNow(call: Call<UwsResponse>, answer: EdgeAnswer): void {
    this.#call = call;
    this.#answer = answer;
    // One function for all calls, so that a cork allocates nothing.
    if (call === this.corked) this.#corked();
    else call.handle.cork(this.#corked);
  }

  readonly #corked = (): void => {
    const call = this.#call;
    const answer = this.#answer;
    if (call === null || answer === null) return;
    this.#call = this.#answer = null;
    const res = call.handle;
    const { status, headers, body, rest, flow } = answer;
    if (status !== 200) res.writeStatus(this.#statusLine(status));
    if (headers.length > 0) {
      const { name, value } = this.#block(headers);
      res.writeHeader(name, call.closing ? value.subarray(0, value.length - IDLE_HINT.length) : value);
    }
    const large = (rest !== undefined || body.length > COPY_BYTES) && !call.bodiless;
    if (call.closing && (flow !== undefined || large || call.closesUntold)) res.writeHeader('connection', 'close');
    if (flow !== undefined) {
      sendFlow(call, flow);
      return;
    }
    if (large) {
      sendLarge(call, typeof body === 'string' ? Buffer.from(body) : body, rest);
      return;
    }
    if (call.bodiless) {
      // A length without its body would leave the response open for the library.
      res.end('', call.closing);
    } else if (status === 204 && !call.closing) {
      // No content-length here, which `end` and closing write.
      res.endWithoutBody();
    } else {
      res.end(body, call.closing);
    }
    call.sent();
  };

  /**
   * All headers behind the name of the first, as the bytes they come to: the library copies a value as it is, and one call into it costs
   * less than six. Most lists are made once and used again, so their bytes are, too.
   */
  #block(headers: readonly string[]): HeaderBlock {
    const known = this.#lists.indexOf(headers);
    if (known >= 0) return this.#blocks[known] as HeaderBlock;
    let value = headers[1] ?? '';
    for (let i = 2; i + 1 < headers.length; i += 2) value += `\r\n${headers[i]}: ${headers[i + 1]}`;
    const block = { name: Buffer.from(headers[0] ?? ''), value: Buffer.from(value + IDLE_HINT) };
    this.#lists[this.#oldest] = headers;
    this.#blocks[this.#oldest] = block;
    this.#oldest = (this.#oldest + 1) % KEPT_BLOCKS;
    return block;
  }

  #statusLine(status: number): string {
    let line = this.#statusLines.get(status);
    if (line === undefined) {
      line = `${status} ${STATUS_CODES[status] ?? 'Unknown'}`;
      this.#statusLines.set(status, line);
    }
    return line;
  }
}

/** Sends a body as fast as the reader takes it, from where it lies. @param rest what follows it */
function sendLarge(call: Call<UwsResponse>, body: Uint8Array, rest?: Uint8Array): void {
  const res = call.handle;
  const total = body.byteLength + (rest?.byteLength ?? 0);
  const send = (offset: number): boolean => {
    let done = false;
    for (let at = offset; at < total && !done;) {
      const piece = at < body.byteLength ? body : (rest ?? body);
      const from = piece === body ? at : at - body.byteLength;
      const [ok, ended] = res.tryEnd(from === 0 ? piece : piece.subarray(from), total);
      if (!ok && !ended) return false;
      done = ended;
      at += piece.byteLength - from;
    }
    call.sent();
    return true;
  };
  // The library gives a reader up that takes nothing for about ten seconds.
  if (!send(0)) res.onWritable(send);
}
