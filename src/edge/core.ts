import { BodyClock } from './bodyClock.ts';
import { Call } from './call.ts';
import type { CallHost } from './call.ts';
import { Cors } from './cors.ts';
import { HeadScan } from './head.ts';
import { HeaderLists } from './headerLists.ts';
import { judge } from './judge.ts';
import type { Refusal } from './judge.ts';
import { asksForSocket, judgeUpgrade } from './judgeUpgrade.ts';
import type { EdgeLog, EdgeOptions } from './limits.ts';
import type { EdgeAnswer, EdgeHandler, RequestHead, RequestSink, SocketSink } from './port.ts';
import { UnreadNotice } from './unreadNotice.ts';

/** What an engine does with its handle of a response. */
export interface EngineSide<H> {
  /** Writes an answer and calls `call.sent()` when nothing is left to write. */
  write(call: Call<H>, answer: EdgeAnswer): void;
  /** Peer address as text, IPv4-mapped IPv6 folded to IPv4. */
  addressOf(handle: H): string;
  /** The bytes of a body of fewer than so many are taken before `write` returns. */
  readonly copiesBelow: number;
}

const NO_UPGRADE: Refusal = { kind: 'badUpgrade', detail: '' };

/** What the engines share: the way of a request up to its sink, the count of calls, the state of the drain. */
export class EdgeCore<H> implements CallHost<H> {
  readonly options: EdgeOptions;
  readonly log: EdgeLog;
  readonly cors: Cors;
  readonly clock: BodyClock;
  readonly notice: UnreadNotice;
  readonly copiesBelow: number;
  readonly lists = new HeaderLists();
  /** Filled by the engine before `begin`. */
  readonly scan = new HeadScan();
  draining = false;
  gzipJobs = 0;
  /** Called whenever no call is under way. */
  onIdle: (() => void) | null = null;
  /** Called after each call. */
  onEnded: ((call: Call<H>) => void) | null = null;
  #underWay = 0;
  readonly #handler: EdgeHandler;
  readonly #engine: EngineSide<H>;

  constructor(options: EdgeOptions, handler: EdgeHandler, log: EdgeLog, engine: EngineSide<H>) {
    this.options = options;
    this.log = log;
    this.cors = new Cors(options.cors);
    this.clock = new BodyClock(options.bodyTimeoutMs);
    this.notice = new UnreadNotice(log);
    this.#handler = handler;
    this.#engine = engine;
    const { gzipAboveBytes } = options;
    this.copiesBelow = gzipAboveBytes > 0 ? Math.min(engine.copiesBelow, gzipAboveBytes) : engine.copiesBelow;
  }

  /** Calls that are not over. */
  get underWay(): number {
    return this.#underWay;
  }

  /** A call for the scanned head, not yet judged. */
  open(handle: H): Call<H> {
    this.#underWay += 1;
    return new Call(this, handle, this.scan);
  }

  /** Judges the scanned head and asks the handler. Afterwards the call is receiving, or it has its answer. */
  begin(call: Call<H>, head: RequestHead): void {
    const scan = this.scan;
    call.closing = scan.asksToClose;
    // one that a sound upgrade had taken another way
    const refusal = asksForSocket(scan) ? (judgeUpgrade(scan, this.options) ?? NO_UPGRADE) : judge(scan, this.options);
    if (refusal !== null) {
      call.refuse(refusal.kind, refusal.detail);
      return;
    }
    // A body that was announced but is not read must not be taken for the next request.
    const unread = scan.chunked || scan.expects > 0;
    if (!this.cors.allows(scan.origin)) {
      call.refuse('forbidden', 'origin');
    } else if (scan.method === 'OPTIONS') {
      call.closing ||= unread;
      call.answer(this.cors.preflight(head));
    } else {
      this.#ask(call, head, unread);
    }
  }

  /** Judges the scanned head of a request for a WebSocket and asks the handler. Null = the call has its answer. */
  upgrade(call: Call<H>, head: RequestHead): SocketSink | null {
    const refusal = judgeUpgrade(this.scan, this.options);
    if (refusal !== null) call.refuse(refusal.kind, refusal.detail);
    else if (!this.cors.allows(this.scan.origin)) call.refuse('forbidden', 'origin');
    else if (this.draining) call.refuse('draining');
    else {
      const verdict = this.#guard(call, () => this.#handler.onUpgrade(head));
      if (verdict !== null && 'onOpen' in verdict) {
        call.leave();
        return verdict;
      }
      // whoever asked for another protocol may already speak it
      call.closing = true;
      if (verdict !== null) call.answer(verdict);
    }
    return null;
  }

  write(call: Call<H>, answer: EdgeAnswer): void {
    this.#engine.write(call, answer);
  }

  addressOf(handle: H): string {
    return this.#engine.addressOf(handle);
  }

  ended(call: Call<H>): void {
    this.#underWay -= 1;
    this.onEnded?.(call);
    if (this.#underWay === 0) this.onIdle?.();
  }

  #ask(call: Call<H>, head: RequestHead, unread: boolean): void {
    let verdict: RequestSink | EdgeAnswer;
    // not by `#guard`: it would take a closure for each request
    try {
      verdict = this.#handler.onRequest(head);
    } catch (error) {
      this.#fail(call, error);
      return;
    }
    if ('onBody' in verdict) {
      call.accept(verdict);
    } else {
      call.closing ||= unread;
      call.answer(verdict);
    }
  }

  /** What the handler says; null when it failed, and the call is refused. */
  #guard<T>(call: Call<H>, ask: () => T): T | null {
    try {
      return ask();
    } catch (error) {
      this.#fail(call, error);
      return null;
    }
  }

  #fail(call: Call<H>, error: unknown): void {
    this.log.error({ err: error }, 'the handler failed on a request');
    call.refuse('internal');
  }
}
