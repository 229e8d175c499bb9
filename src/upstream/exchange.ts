import type { Dispatcher } from 'undici';
import type { Clock, TimerHandle } from '../base/clock.ts';
import { classifyStatus } from '../chain/errors/classify.ts';
import { badAnswer, cancelledFailure, crowdedFailure, timeoutFailure, tooLargeFailure, transportFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Exchange, ReplySink } from './port.ts';
import { parseRetryAfter } from './retryAfter.ts';

/** What an exchange needs of the client that runs it. */
export interface ExchangeHost {
  readonly clock: Clock;
  readonly maxResponseBytes: number;
  /** The HTTP client is done with the exchange, answered or not: its slot is free. Called once per `begin`. */
  onFreed(): void;
  /** The exchange was settled before it began. */
  onLeft(exchange: HttpExchange): void;
}

type Stage = 'waiting' | 'begun' | 'written';

const NEVER: TimerHandle = { cancel: () => {} };
/** How much of a foreign body is read for its meaning. */
const STATUS_TEXT_BYTES = 512;
const JSON_RPC_MEMBER = Buffer.from('"jsonrpc"');

/**
 * One call on its way: undici's handler, the timeout and the sink in one object.
 * waiting (for a free slot) -> begun (with undici, perhaps connecting) -> written (its bytes may have left) -> settled.
 * Uses undici's older handler methods because the newer ones copy every header into an object.
 */
export class HttpExchange implements Exchange, Dispatcher.DispatchHandler {
  readonly body: Buffer;
  readonly #host: ExchangeHost;
  #sink: ReplySink | null;
  #timer: TimerHandle = NEVER;
  #stage: Stage = 'waiting';
  #abort: ((reason?: Error) => void) | null = null;
  #freed = false;
  #status = 0;
  #retryAfterMs = 0;
  #encoded = false;
  #sizeBytes = 0;
  #chunk: Buffer | null = null;
  #chunks: Buffer[] | null = null;

  constructor(host: ExchangeHost, body: Buffer, sink: ReplySink) {
    this.#host = host;
    this.body = body;
    this.#sink = sink;
  }

  /** Sets the timer that `expire`s this exchange. */
  arm(timer: TimerHandle): void {
    this.#timer = timer;
  }

  /** waiting -> begun: undici has it from here on. */
  begin(): void {
    this.#stage = 'begun';
  }

  /** Stops for the caller: the sink gets `cancelled` before this returns, unless it had its answer. */
  cancel(): void {
    this.fail(cancelledFailure(this.#unsent));
  }

  /** The whole exchange took too long. */
  expire(): void {
    this.fail(this.#stage === 'waiting' ? crowdedFailure() : timeoutFailure(this.#unsent));
  }

  /** any -> settled with a failure; frees the connection first. A no-op once settled. */
  fail(failure: Failure): void {
    const sink = this.#settle();
    if (sink === null) return;
    this.#abort?.();
    sink.onFailure(failure.outcome, failure.detail);
  }

  /** begun -> written. Throwing keeps the connection for others; a second call would be a second sending. */
  onConnect(abort: (reason?: Error) => void): void {
    if (this.#sink === null || this.#stage === 'written') throw new Error('given up');
    this.#stage = 'written';
    this.#abort = abort;
  }

  onHeaders(status: number, headers: Buffer[]): boolean {
    if (status < 200) return true;
    this.#status = status;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i];
      const value = headers[i + 1];
      if (name !== undefined && value !== undefined) this.#onHeader(name, value);
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#sizeBytes += chunk.length;
    if (this.#sizeBytes > this.#host.maxResponseBytes) this.fail(tooLargeFailure(this.#host.maxResponseBytes));
    else if (this.#chunk === null) this.#chunk = chunk;
    else if (this.#chunks === null) this.#chunks = [this.#chunk, chunk];
    else this.#chunks.push(chunk);
    return true;
  }

  onComplete(): void {
    this.#free();
    const sink = this.#settle();
    if (sink === null) return;
    try {
      this.#judge(sink);
    } catch (error) {
      // undici would swallow it: a bug of the receiver must be seen.
      queueMicrotask(() => { throw error; });
    }
  }

  onError(error: Error): void {
    this.#free();
    // undici may call this within dispatch; the port promises never to answer within send.
    queueMicrotask(() => this.fail(transportFailure(error, this.#unsent)));
  }

  get #unsent(): boolean {
    return this.#stage !== 'written';
  }

  #free(): void {
    this.#abort = null;
    if (this.#freed) return;
    this.#freed = true;
    this.#host.onFreed();
  }

  #settle(): ReplySink | null {
    const sink = this.#sink;
    if (sink === null) return null;
    this.#sink = null;
    this.#timer.cancel();
    if (this.#stage === 'waiting') this.#host.onLeft(this);
    return sink;
  }

  #onHeader(name: Buffer, value: Buffer): void {
    if (name.length === 11 && is(name, 'retry-after')) {
      this.#retryAfterMs = parseRetryAfter(value.toString('latin1'), this.#host.clock.wallMs());
    } else if (name.length === 16 && is(name, 'content-encoding')) {
      this.#encoded = !is(value, 'identity') && value.length > 0;
    }
  }

  #judge(sink: ReplySink): void {
    const body = this.#chunks === null ? (this.#chunk ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks, this.#sizeBytes);
    const status = this.#status;
    if (this.#encoded) {
      const failure = badAnswer('the answer is compressed although identity was asked for');
      sink.onFailure(failure.outcome, failure.detail);
    } else if (startsLikeJson(body) && (isSuccess(status) || body.includes(JSON_RPC_MEMBER))) {
      sink.onReply(status, body, this.#retryAfterMs);
    } else {
      const text = body.toString('latin1', 0, STATUS_TEXT_BYTES);
      sink.onFailure(classifyStatus(status, text, this.#retryAfterMs), `HTTP status ${status} without a JSON-RPC answer`);
    }
  }
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

const is = (bytes: Buffer, lowerCase: string): boolean => bytes.toString('latin1').toLowerCase() === lowerCase;

/** First byte that is not JSON white space is `{` or `[`. */
function startsLikeJson(body: Buffer): boolean {
  for (const byte of body) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte === 0x7b || byte === 0x5b;
  }
  return false;
}
