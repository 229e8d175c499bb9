import { Pool } from 'undici';
import type { TimerHandle } from '../base/clock.ts';
import type { Sharing } from '../route/sharing.ts';
import { HttpBatch } from './batch.ts';
import type { BatchHost } from './batch.ts';
import { Connector } from './connect.ts';
import { HttpExchange } from './exchange.ts';
import { closingFailure, refusedHere } from './failure.ts';
import type { CallClient, CallSink, Exchange, ReplySink, UpstreamClient } from './port.ts';
import { WaitingQueue } from './queue.ts';
import { HttpRequest } from './request.ts';
import type { RequestHost } from './request.ts';
import { Round } from './round.ts';
import type { Refusal } from './shared.ts';
import { Stopwatch } from './stopwatch.ts';
import { parseTarget } from './target.ts';
import type { UpstreamTarget } from './target.ts';
import type { World } from './world.ts';

/** How light calls share messages. */
export interface ShareOptions {
  readonly sharing: Sharing;
  /** Most bytes of a message of several calls. */
  readonly maxBytes: number;
  /** Light exchanges that take longer than this no longer keep others waiting. */
  readonly maxWaitMs: number;
  /** How the node took a message of several calls; null = as it should. */
  onShared(calls: number, refusal: Refusal | null): void;
}

export interface HttpUpstreamOptions {
  readonly name: string;
  /** http or https; may hold credentials and a key. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Most connections, and so most requests under way, at once. */
  readonly connections: number;
  /** Most calls that wait for a connection; one more is refused as `transport`, unsent and without blame. */
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  /** Most bytes of an answer that is taken whole. */
  readonly maxResponseBytes: number;
  /** Most large answers that go to their readers beside those connections; 0 by default. */
  readonly maxBeside?: number;
  /** How long an idle connection is kept; shorter than a node's own limit, lest it closes under a call. */
  readonly keepAliveTimeoutMs: number;
  /** Absent: every body goes alone. */
  readonly share?: ShareOptions;
}

/** A node that has kept a shared message unanswered for so long, and never answered one, does not take them. */
const IGNORED_MS = 1_000;
/** So many light calls of one round do not wait for its end: the node works on them meanwhile. */
const GATHERED = 16;

/**
 * One node over HTTP/1.1 with keep-alive: one request per connection at a time, no pipelining, redirects not followed.
 * Asks for `identity` encoding: between a gateway and its nodes inflating costs more than the bytes.
 * While there is a free slot a call goes out at once, a light one with those of its round of the event loop. Who finds none waits here, first come first served, so that a cancelled one
 * leaves at once; light calls that wait leave together as one JSON-RPC batch.
 */
export class HttpUpstream implements UpstreamClient, CallClient, RequestHost, BatchHost {
  readonly name: string;
  readonly maxResponseBytes: number;
  readonly clock: World['clock'];
  private readonly options: HttpUpstreamOptions;
  private readonly share: ShareOptions | null;
  private readonly world: World;
  private readonly target: UpstreamTarget;
  private readonly connector: Connector;
  private readonly pool: Pool;
  private readonly queue: WaitingQueue;
  private begun = 0;
  /** Requests beside them whose answers go to their readers. */
  private beside = 0;
  /** Requests of light calls that keep further light calls waiting. */
  private readonly busy: HttpRequest[] = [];
  private waitTimer: TimerHandle | null = null;
  private readonly stopwatch: Stopwatch;
  /** At its end light calls leave that came in it. */
  private readonly round: Round;
  private closing: Promise<void> | null = null;
  private onIdle: (() => void) | null = null;

  /** @throws Error naming the fault of a URL or header, never its value */
  constructor(options: HttpUpstreamOptions, world: World) {
    this.name = options.name;
    this.options = options;
    this.maxResponseBytes = options.maxResponseBytes;
    this.clock = world.clock;
    this.share = options.share ?? null;
    this.world = world;
    this.target = parseTarget(options.url, options.headers);
    this.connector = new Connector(options.connectTimeoutMs, world.timers);
    this.queue = new WaitingQueue(() => this.settleIdle());
    this.stopwatch = new Stopwatch(world.clock, (share) => this.share?.sharing.onIdle(share));
    this.round = new Round(() => this.leave());
    this.pool = new Pool(this.target.origin, {
      connections: options.connections + (options.maxBeside ?? 0),
      connect: this.connector.connect,
      pipelining: 1,
      // One precise timer per call instead of undici's two coarse ones.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      keepAliveMaxTimeout: options.keepAliveTimeoutMs,
    });
  }

  /** Calls that wait for a slot. */
  get waiting(): number {
    return this.queue.size;
  }

  /** Sockets that are open or being opened. */
  get openSockets(): number {
    return this.connector.openSockets;
  }

  get trusted(): boolean {
    return this.share?.sharing.trusted === true;
  }

  send(body: string, timeoutMs: number, sink: ReplySink): Exchange {
    const exchange = new HttpExchange(this.queue, body, sink, null);
    if (this.admit(exchange)) exchange.arm(this.world.timers.after(timeoutMs, () => exchange.expire()));
    return exchange;
  }

  call(body: string, sink: CallSink): Exchange {
    const exchange = new HttpExchange(this.queue, body, sink, sink);
    this.admit(exchange);
    return exchange;
  }

  close(graceMs: number): Promise<void> {
    // who cannot wait any longer ends the wait of an earlier call
    if (this.closing !== null && graceMs <= 0) this.onIdle?.();
    this.closing ??= this.end(graceMs);
    return this.closing;
  }

  onFlowing(request: HttpRequest): void {
    if (this.beside >= (this.options.maxBeside ?? 0)) return;
    request.beside = true;
    this.beside++;
    this.begun--;
    this.release(request);
    if (this.queue.size > 0) queueMicrotask(() => this.beginNext());
  }

  onFreed(request: HttpRequest): void {
    if (request.beside) this.beside--;
    else this.begun--;
    this.release(request);
    // Not at once: undici is in the middle of dropping or freeing the connection.
    if (this.queue.size > 0) queueMicrotask(() => this.beginNext());
    else this.settleIdle();
  }

  onAnswered({ cargo, began }: HttpRequest): void {
    if (this.share === null) return;
    const took = this.stopwatch.stop(began);
    if (cargo instanceof HttpBatch) cargo.took = took;
    else if (cargo instanceof HttpExchange && cargo.call?.batchable === true) this.share.sharing.onLone(cargo.call, took, this.clock.nowMs());
  }

  onRead(batch: HttpBatch, refusal: Refusal | null): void {
    const { share } = this;
    if (share === null) return;
    const calls = batch.members.length;
    const nowMs = this.clock.nowMs();
    if (refusal === null) share.sharing.onBatch(batch.calls, batch.took, nowMs);
    else if (refusal === 'tooLarge') share.sharing.onTooLarge(calls, nowMs);
    else if (refusal === 'refused') share.sharing.onRefused(nowMs);
    share.onShared(calls, refusal);
  }

  onUnwanted(batch: HttpBatch): void {
    const waitedMs = this.clock.nowMs() - (batch.request?.began.nowMs ?? 0);
    if (!this.trusted && batch.written && waitedMs >= IGNORED_MS) this.onRead(batch, 'refused');
  }

  resend(exchange: HttpExchange): void {
    exchange.alone = true;
    if (this.closing === null && this.begun < this.options.connections) this.begin([exchange], false);
    else if (this.closing === null) this.queue.add(exchange, false);
    else exchange.fail(closingFailure(false));
  }

  /** Begins an exchange, lets it wait, or refuses it, then false. */
  private admit(exchange: HttpExchange): boolean {
    const { queue } = this;
    const light = this.isLight(exchange);
    if (this.closing === null && !light && this.begun < this.options.connections) {
      this.begin([exchange], false);
      return true;
    }
    // some may wait for no more than the end of this round
    if (this.round.open && queue.size >= this.options.maxWaiting) this.beginNext();
    const refusal = this.closing !== null ? closingFailure(true) : queue.size >= this.options.maxWaiting ? refusedHere('too many calls wait for a connection') : null;
    if (refusal !== null) {
      queueMicrotask(() => exchange.fail(refusal));
      return false;
    }
    queue.add(exchange, light);
    if (light) this.gather();
    return true;
  }

  /** Light calls that come in one round of the event loop leave together at its end, where a slot is free: a message costs more than a call in it. */
  private gather(): void {
    if (!this.round.open) this.round.begin(this.clock.nowMs());
    else if (this.queue.lightSize >= GATHERED) this.leave();
  }

  private leave(): void {
    this.beginNext();
    if (this.queue.lightSize > 0) this.watchWaiting();
  }

  private isLight({ call, alone }: HttpExchange): boolean {
    if (this.share === null || call?.batchable !== true || alone) return false;
    return this.share.sharing.shares(call, this.round.open ? this.round.beganMs : this.clock.nowMs());
  }

  private begin(exchanges: readonly HttpExchange[], light: boolean): void {
    const [only] = exchanges;
    if (only === undefined) return;
    this.begun++;
    const cargo = exchanges.length === 1 ? only : new HttpBatch(this, exchanges);
    const request = new HttpRequest(this, cargo, this.stopwatch.start());
    if (cargo instanceof HttpBatch) cargo.request = request;
    else cargo.place = request;
    if (light) this.busy.push(request);
    const { path, headers } = this.target;
    this.pool.dispatch({ method: 'POST', path, headers: headers as string[], body: Buffer.from(cargo.body, 'latin1') }, request);
  }

  private beginNext(): void {
    const { share, queue } = this;
    while (this.begun < this.options.connections) {
      if (share !== null && queue.isLightNext(this.busy.length < share.sharing.slots)) {
        this.begin(queue.takeLight(share.sharing.take(queue.lightSize), share.maxBytes), true);
        continue;
      }
      const next = queue.takeLone();
      if (next === null) return;
      this.begin([next], false);
    }
  }

  /** Sees to it that nobody waits long for exchanges that were thought to be light and are not. */
  private watchWaiting(): void {
    if (this.waitTimer !== null || this.share === null) return;
    const { maxWaitMs } = this.share;
    this.waitTimer = this.world.timers.after(maxWaitMs, () => {
      this.waitTimer = null;
      if (this.queue.lightSize === 0) return;
      const untilMs = this.clock.nowMs() - maxWaitMs;
      for (const request of [...this.busy]) if (request.began.nowMs <= untilMs) this.release(request);
      this.beginNext();
      if (this.queue.lightSize > 0) this.watchWaiting();
    });
  }

  /** A request of light calls keeps nobody waiting any more. */
  private release(request: HttpRequest): void {
    const place = this.busy.indexOf(request);
    const last = place < 0 ? undefined : this.busy.pop();
    if (last !== undefined && last !== request) this.busy[place] = last;
  }

  private settleIdle(): void {
    if (this.begun + this.beside + this.queue.size === 0) this.onIdle?.();
  }

  private async end(graceMs: number): Promise<void> {
    if (graceMs > 0 && this.begun + this.beside + this.queue.size > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.world.timers.after(graceMs, resolve);
        this.onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.waitTimer?.cancel();
    for (let next = this.queue.takeAny(); next !== null; next = this.queue.takeAny()) next.fail(closingFailure(true));
    await this.pool.destroy();
    this.connector.destroyAll();
  }
}
