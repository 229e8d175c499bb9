import type { FaultKind } from '../base/fault.ts';
import { BodyBuffer } from './bodyBuffer.ts';
import type { BodyClock, Waiting } from './bodyClock.ts';
import type { Cors } from './cors.ts';
import { acceptsGzip, deflate, inflate } from './encoding.ts';
import type { HeadScan } from './head.ts';
import type { HeaderLists } from './headerLists.ts';
import { MAX_GZIP_JOBS } from './limits.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import { GzipFlow } from './gzipFlow.ts';
import type { BodyFlow, EdgeAnswer, EdgeExchange, RequestSink } from './port.ts';
import { refusalAnswer } from './refuse.ts';

/** What a call needs of its server. `H` is the engine's handle of one response. */
export interface CallHost<H> {
  readonly options: EdgeOptions;
  readonly log: EdgeLog;
  readonly cors: Cors;
  readonly clock: BodyClock;
  readonly draining: boolean;
  /** As `EdgeExchange` has it. */
  readonly copiesBelow: number;
  readonly lists: HeaderLists;
  /** Compressions under way. */
  gzipJobs: number;
  /** Writes a whole answer in one go and calls `call.sent()` when nothing is left to write. */
  write(call: Call<H>, answer: EdgeAnswer): void;
  /** Peer address of a call that is not over. */
  addressOf(handle: H): string;
  /** The call is over. */
  ended(call: Call<H>): void;
}

const RECEIVING = 0;
const SERVING = 1;
const SENDING = 2;
const OVER = 3;

/**
 * One request from its head to its last byte out, the same on every engine.
 * RECEIVING -> SERVING (body whole) -> SENDING (answered) -> OVER; a refusal goes from anywhere before to SENDING,
 * the client's leaving from anywhere to OVER.
 */
export class Call<H> implements EdgeExchange, Waiting {
  readonly handle: H;
  /** HEAD: the answer has no body. */
  readonly bodiless: boolean;
  /** The connection ends with this answer. */
  closing = false;
  /** The library ends the connection by itself, and writes no `connection: close`. */
  closesUntold = false;
  /** The edge itself refused it: nothing that follows on the connection can be trusted. */
  refused = false;
  before: Waiting | null = null;
  after: Waiting | null = null;
  tick = 0;
  readonly #host: CallHost<H>;
  readonly #origin: string;
  readonly #acceptEncoding: string;
  readonly #gzipped: boolean;
  #body: BodyBuffer | null = null;
  #sink: RequestSink | null = null;
  /** The body on its way. */
  #flow: BodyFlow | null = null;
  #state = RECEIVING;
  #gone = false;

  constructor(host: CallHost<H>, handle: H, scan: HeadScan) {
    this.#host = host;
    this.handle = handle;
    this.bodiless = scan.method === 'HEAD';
    this.#origin = scan.origin;
    this.#acceptEncoding = scan.acceptEncoding;
    this.#gzipped = scan.gzipped;
  }

  get gone(): boolean {
    return this.#gone;
  }

  get copiesBelow(): number {
    return this.#host.copiesBelow;
  }

  get receiving(): boolean {
    return this.#state === RECEIVING;
  }

  get over(): boolean {
    return this.#state === OVER;
  }

  /** The head is accepted: the body goes to this sink. */
  accept(sink: RequestSink): void {
    this.#sink = sink;
    this.#host.clock.join(this);
  }

  /** A piece of the body; the sender may take its bytes back afterwards. */
  onPiece(piece: Uint8Array): void {
    if (this.#state !== RECEIVING || !this.#fits(piece)) return;
    this.#body ??= new BodyBuffer();
    this.#body.append(piece);
  }

  /** The last piece of the body, or no more of it; mostly it is the only one. */
  onLastPiece(piece: Uint8Array): void {
    if (this.#state !== RECEIVING || !this.#fits(piece)) return;
    this.#host.clock.leave(this);
    this.#state = SERVING;
    this.#body?.append(piece);
    const kept = this.#body?.take() ?? null;
    if (!this.#gzipped && this.#glance(kept ?? piece)) return;
    if (!this.#gzipped) {
      this.#deliver(kept ?? asBuffer(piece));
      return;
    }
    // a copy: the engine takes the piece back before it is inflated
    inflate(kept ?? Buffer.from(piece), this.#host.options.maxInflatedBytes, (fault, plain) => {
      if (this.#state !== SERVING) return;
      if (fault === null) this.#deliver(plain);
      else this.refuse(fault, fault === 'parse' ? 'the gzip body is damaged' : 'after inflation');
    });
  }

  onTimeout(): void {
    this.refuse('bodyTimeout');
  }

  /** Refuses what has not been answered yet and ends the connection. */
  refuse(kind: FaultKind, detail = ''): void {
    if (this.#state >= SENDING) return;
    const sink = this.#sink;
    this.closing = this.refused = true;
    this.#send(refusalAnswer(kind, detail));
    this.#tell(sink);
  }

  answer(answer: EdgeAnswer): void {
    if (this.#state < SENDING) this.#send(answer);
    else answer.flow?.onGone();
  }

  remoteAddress(): string {
    return this.#state < SENDING ? this.#host.addressOf(this.handle) : '';
  }

  /** The engine wrote the last byte. */
  sent(): void {
    if (this.#state !== SENDING) return;
    this.#state = OVER;
    this.#flow = null;
    this.#host.ended(this);
  }

  /** The connection goes on as something else: there is no answer. */
  leave(): void {
    if (this.#state === OVER) return;
    this.#state = OVER;
    this.#host.ended(this);
  }

  /** The client is gone, or the engine gave the connection up. */
  onGone(): void {
    if (this.#state === OVER) return;
    const sink = this.#state === SENDING ? null : this.#sink;
    this.#gone = true;
    this.#host.clock.leave(this);
    this.#state = OVER;
    this.#sink = null;
    this.#host.ended(this);
    this.#flow?.onGone();
    this.#flow = null;
    this.#tell(sink);
  }

  #fits(piece: Uint8Array): boolean {
    if ((this.#body?.sizeBytes ?? 0) + piece.byteLength <= this.#host.options.maxBodyBytes) return true;
    this.refuse('bodyTooLarge');
    return false;
  }

  /** Whether the sink needs no more than a look at the body. */
  #glance(body: Uint8Array): boolean {
    try {
      return this.#sink?.glance?.(body, this) === true;
    } catch (error) {
      this.#fail(error);
      return true;
    }
  }

  #deliver(body: Buffer): void {
    try {
      this.#sink?.onBody(body, this);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#host.log.error({ err: error }, 'the handler failed on a body');
    this.refuse('internal');
  }

  #tell(sink: RequestSink | null): void {
    try {
      sink?.onGone();
    } catch (error) {
      this.#host.log.error({ err: error }, 'the handler failed on a client that left');
    }
  }

  #send(answer: EdgeAnswer): void {
    const host = this.#host;
    host.clock.leave(this);
    this.#state = SENDING;
    this.#sink = null;
    if (host.draining) this.closing = true;
    const dressed = this.#origin === '' ? answer : this.#dress(answer, host.cors.headers(this.#origin));
    if (dressed.flow !== undefined) return this.#sendFlow(dressed, dressed.flow);
    const size = answer.body.length + (answer.rest?.length ?? 0);
    const large = host.options.gzipAboveBytes > 0 && size >= host.options.gzipAboveBytes;
    if (large) this.#sendLarge(dressed);
    else host.write(this, dressed);
  }

  #sendLarge(answer: EdgeAnswer): void {
    const host = this.#host;
    const varied = this.#dress(answer, VARY);
    if (this.bodiless || host.gzipJobs >= MAX_GZIP_JOBS || !acceptsGzip(this.#acceptEncoding)) {
      host.write(this, varied);
      return;
    }
    host.gzipJobs += 1;
    deflate(wholeOf(answer), (packed) => {
      host.gzipJobs -= 1;
      if (this.#state !== SENDING) return;
      host.write(this, packed === null ? varied : { status: answer.status, headers: host.lists.join(varied.headers, GZIP), body: packed });
    });
  }

  #sendFlow(answer: EdgeAnswer, flow: BodyFlow): void {
    const host = this.#host;
    const mayPack = host.options.gzipAboveBytes > 0;
    const packs = mayPack && !this.bodiless && host.gzipJobs < MAX_GZIP_JOBS && acceptsGzip(this.#acceptEncoding);
    if (packs) host.gzipJobs += 1;
    this.#flow = packs ? new GzipFlow(flow, () => { host.gzipJobs -= 1; }) : flow;
    const { status, headers, body } = mayPack ? this.#dress(answer, packs ? VARY_GZIP : VARY) : answer;
    host.write(this, this.bodiless ? { status, headers, body } : { status, headers, body, flow: this.#flow });
    if (this.bodiless) flow.onGone();
  }

  #dress(answer: EdgeAnswer, more: readonly string[]): EdgeAnswer {
    return { ...answer, headers: this.#host.lists.join(answer.headers, more) };
  }
}

const VARY = ['vary', 'accept-encoding'] as const;
const GZIP = ['content-encoding', 'gzip'] as const;
const VARY_GZIP = [...VARY, ...GZIP] as const;

/** The same bytes. */
const asBuffer = (bytes: Uint8Array): Buffer => (bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length));

/** The body in one piece. */
function wholeOf({ body, rest }: EdgeAnswer): Uint8Array | string {
  return rest === undefined ? body : Buffer.concat([typeof body === 'string' ? Buffer.from(body) : body, rest]);
}
