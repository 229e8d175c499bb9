import type { TimerHandle } from '../base/clock.ts';
import { cancelledFailure, crowdedFailure, timeoutFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { BodyFlow, CallSink, Exchange, FlowSink, ReplySink } from './port.ts';
import type { Cargo, ExchangePlace, HttpAnswer } from './request.ts';

const NEVER: TimerHandle = { cancel: () => {} };

/** One body on its way to one sink: waiting (for a slot) -> under way in a request -> settled. */
export class HttpExchange implements Exchange, Cargo {
  readonly body: string;
  /** The same sink, where the body is one call that may share a message with others. */
  readonly call: CallSink | null;
  /** Its turn among those that wait; lower is first. */
  turn = 0;
  /** Its neighbours there, and the line it stands in: the line's own. */
  line: object | null = null;
  before: HttpExchange | null = null;
  after: HttpExchange | null = null;
  /** A shared message that held it failed: it goes alone from now on. */
  alone = false;
  place: ExchangePlace;
  private readonly queue: ExchangePlace;
  private sink: ReplySink | null;
  private timer: TimerHandle = NEVER;

  /** @param queue where it waits for its turn */
  constructor(queue: ExchangePlace, body: string, sink: ReplySink, call: CallSink | null) {
    this.place = queue;
    this.queue = queue;
    this.body = body;
    this.sink = sink;
    this.call = call;
  }

  get wanted(): boolean {
    return this.sink !== null;
  }

  get streamAboveBytes(): number {
    return this.call?.streamAboveBytes ?? Number.POSITIVE_INFINITY;
  }

  get waiting(): boolean {
    return this.place === this.queue && this.sink !== null;
  }

  /** Sets the timer that `expire`s this exchange. */
  arm(timer: TimerHandle): void {
    this.timer = timer;
  }

  /** Stops for the caller: the sink gets `cancelled` before this returns, unless it had its answer. */
  cancel(): void {
    this.fail(cancelledFailure(!this.place.written));
  }

  /** The whole exchange took too long. */
  expire(): void {
    this.fail(this.waiting ? crowdedFailure() : timeoutFailure(!this.place.written));
  }

  /** any -> settled with a failure; frees the connection first. A no-op once settled. */
  fail(failure: Failure): void {
    const sink = this.settle();
    if (sink === null) return;
    this.place.onLeft(this);
    sink.onFailure(failure.outcome, failure.detail);
  }

  onFailed(failure: Failure): void {
    const sink = this.settle();
    if (sink !== null) sink.onFailure(failure.outcome, failure.detail);
  }

  onAnswer({ status, body, retryAfterMs }: HttpAnswer): void {
    this.settle()?.onReply(status, body, retryAfterMs);
  }

  onLarge(pieces: readonly Buffer[], flow: BodyFlow): FlowSink | null {
    const taker = this.sink === null ? null : (this.call?.onLarge(pieces, flow) ?? null);
    if (taker !== null) this.settle();
    return taker;
  }

  /** under way -> settled. Null when it was before. */
  settle(): ReplySink | null {
    const { sink } = this;
    if (sink === null) return null;
    this.sink = null;
    this.timer.cancel();
    return sink;
  }
}
