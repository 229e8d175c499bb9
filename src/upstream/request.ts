import type { Dispatcher } from 'undici';
import type { Clock } from '../base/clock.ts';
import { classifyStatus } from '../chain/errors/classify.ts';
import { badAnswer, tooLargeFailure, transportFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { BodyFlow, Exchange, FlowSink } from './port.ts';
import { parseRetryAfter } from './retryAfter.ts';

/** Where an exchange is: in a queue, or in a request alone or with others. */
export interface ExchangePlace {
  /** Bytes of it may have left. */
  readonly written: boolean;
  /** One that is there was given up. */
  onLeft(exchange: Exchange): void;
}

/** A whole HTTP answer whose body could be JSON-RPC. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly retryAfterMs: number;
}

/** What one HTTP request is for: one call, or several. Exactly one of the first two is called, once, unless a large answer was taken. */
export interface Cargo {
  onAnswer(answer: HttpAnswer): void;
  /** @param status of the answer; 0 = there was none, or not all of it */
  onFailed(failure: Failure, status: number): void;
  /** Somebody still wants the answer. */
  readonly wanted: boolean;
  /** See `CallSink`. */
  readonly streamAboveBytes: number;
  onLarge(pieces: readonly Buffer[], flow: BodyFlow): FlowSink | null;
}

/** What a request needs of the client that runs it. */
export interface RequestHost {
  readonly clock: Clock;
  readonly maxResponseBytes: number;
  /** The HTTP client is done with the request, answered or not: its slot is free. Called once, before the cargo is told. */
  onFreed(request: HttpRequest): void;
  /** It has an answer; its cargo is told next. */
  onAnswered(request: HttpRequest): void;
  /** Its answer goes to a reader from now on, as fast as that takes it. */
  onFlowing(request: HttpRequest): void;
}

/** When a request began. */
export interface Began {
  readonly nowMs: number;
  /** How long the process had waited for the outside world by then, ms. */
  readonly idleMs: number;
}

/** How much of a foreign body is read for its meaning. */
const STATUS_TEXT_BYTES = 512;
/** In lower case; the bit that makes a letter lower case is set in a hyphen, too. */
const CONTENT_LENGTH = Buffer.from('content-length');
/** Lengths of fewer digits are not read: so much comes with the first pieces anyway. */
const LARGE_DIGITS = 6;
const JSON_RPC_MEMBER = Buffer.from('"jsonrpc"');

/**
 * One HTTP request on its way, as undici's handler: begun (perhaps connecting) -> written (its bytes may have left) -> over.
 * Uses undici's older handler methods because the newer ones copy every header into an object.
 */
export class HttpRequest implements Dispatcher.DispatchHandler, ExchangePlace, BodyFlow {
  /** Its bytes may have left. */
  written = false;
  /** It keeps no slot while its answer goes to a reader: the host's own. */
  beside = false;
  readonly began: Began;
  readonly cargo: Cargo;
  private readonly host: RequestHost;
  private abortNow: ((reason?: Error) => void) | null = null;
  private freed = false;
  private over = false;
  private status = 0;
  private retryAfterMs = 0;
  private encoded = false;
  private sizeBytes = 0;
  private chunk: Buffer | null = null;
  private chunks: Buffer[] | null = null;
  private taker: FlowSink | null = null;
  private lengthRaw: Buffer | null = null;
  private resumeNow: (() => void) | null = null;

  constructor(host: RequestHost, cargo: Cargo, began: Began) {
    this.host = host;
    this.cargo = cargo;
    this.began = began;
  }

  /** The only call in it was given up. */
  onLeft(): void {
    this.abort();
  }

  /** any -> over, without a word to the cargo: the connection is closed, for its answer would still come. */
  abort(): void {
    this.over = true;
    this.abortNow?.();
  }

  /** begun -> written. Throwing keeps the connection for others; a second call would be a second sending. */
  onConnect(abort: (reason?: Error) => void): void {
    if (this.over || this.written || !this.cargo.wanted) throw new Error('given up');
    this.written = true;
    this.abortNow = abort;
  }

  onHeaders(status: number, headers: Buffer[], resume: () => void): boolean {
    if (status < 200) return true;
    this.status = status;
    this.resumeNow = resume;
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i];
      const value = headers[i + 1];
      if (name !== undefined && value !== undefined) this.onHeader(name, value);
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.taker !== null) return this.pass(this.taker, chunk);
    this.sizeBytes += chunk.length;
    if (this.chunk === null) this.chunk = chunk;
    else if (this.chunks === null) this.chunks = [this.chunk, chunk];
    else this.chunks.push(chunk);
    if (this.isLarge()) this.offer(this.chunks ?? [chunk]);
    if (this.taker !== null) return (this.taker as FlowSink).ready;
    if (this.sizeBytes > this.host.maxResponseBytes) this.stop(tooLargeFailure(this.host.maxResponseBytes));
    return true;
  }

  /** Bytes of the answer as announced; -1 = not announced. */
  get lengthBytes(): number {
    return this.lengthRaw === null ? -1 : Number(this.lengthRaw.toString('latin1'));
  }

  /** Goes on reading the answer. */
  resume(): void {
    this.resumeNow?.();
  }

  onComplete(): void {
    this.free();
    if (this.over) return;
    this.over = true;
    try {
      if (this.taker === null) this.judge();
      else this.taker.onEnd();
    } catch (error) {
      // undici would swallow it: a bug of the receiver must be seen.
      queueMicrotask(() => { throw error; });
    }
  }

  onError(error: Error): void {
    this.free();
    // undici may call this within dispatch; the port promises never to answer within send.
    queueMicrotask(() => this.stop(transportFailure(error, !this.written)));
  }

  /** any -> over with a failure; frees the connection first. */
  private stop(failure: Failure): void {
    if (this.over) return;
    this.abort();
    if (this.taker === null) this.cargo.onFailed(failure, 0);
    else this.taker.onFailed(failure.outcome);
  }

  private isLarge(): boolean {
    const { streamAboveBytes } = this.cargo;
    return this.sizeBytes > streamAboveBytes || ((this.lengthRaw?.length ?? 0) >= LARGE_DIGITS && this.lengthBytes > streamAboveBytes);
  }

  private offer(pieces: readonly Buffer[]): void {
    if (this.over || this.encoded || !isSuccess(this.status)) return;
    const taker = this.cargo.onLarge(pieces, this);
    if (taker === null) return;
    this.taker = taker;
    this.chunk = this.chunks = null;
    if (!this.over) this.host.onFlowing(this);
  }

  private pass(taker: FlowSink, chunk: Buffer): boolean {
    if (this.over) return true;
    taker.onPiece(chunk);
    return taker.ready;
  }

  private free(): void {
    this.abortNow = null;
    if (this.freed) return;
    this.freed = true;
    this.host.onFreed(this);
  }

  private onHeader(name: Buffer, value: Buffer): void {
    if (name.length === 11 && is(name, 'retry-after')) {
      this.retryAfterMs = parseRetryAfter(value.toString('latin1'), this.host.clock.wallMs());
    } else if (name.length === 16 && is(name, 'content-encoding')) {
      this.encoded = !is(value, 'identity') && value.length > 0;
    } else if (name.length === 14 && isContentLength(name)) {
      this.lengthRaw = value;
    }
  }

  private judge(): void {
    const { status, retryAfterMs } = this;
    const body = this.chunks === null ? (this.chunk ?? Buffer.alloc(0)) : Buffer.concat(this.chunks, this.sizeBytes);
    if (this.encoded) {
      this.cargo.onFailed(badAnswer('the answer is compressed although identity was asked for'), status);
    } else if (startsLikeJson(body) && (isSuccess(status) || body.includes(JSON_RPC_MEMBER))) {
      this.host.onAnswered(this);
      this.cargo.onAnswer({ status, body, retryAfterMs });
    } else {
      const outcome = classifyStatus(status, body.toString('latin1', 0, STATUS_TEXT_BYTES), retryAfterMs);
      this.cargo.onFailed({ outcome, detail: `HTTP status ${status} without a JSON-RPC answer` }, status);
    }
  }
}

const isSuccess = (status: number): boolean => status >= 200 && status < 300;

/** Every small answer has this header: told without making a text of it. */
function isContentLength(name: Buffer): boolean {
  for (let i = 0; i < CONTENT_LENGTH.length; i++) if (((name[i] as number) | 0x20) !== CONTENT_LENGTH[i]) return false;
  return true;
}

const is = (bytes: Buffer, lowerCase: string): boolean => bytes.toString('latin1').toLowerCase() === lowerCase;

/** First byte that is not JSON white space is `{` or `[`. */
function startsLikeJson(body: Buffer): boolean {
  for (const byte of body) {
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return byte === 0x7b || byte === 0x5b;
  }
  return false;
}
