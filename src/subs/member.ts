import { Backlog } from './backlog.ts';
import { droppedNotice } from './notice.ts';

/** One client connection, as the engine shows it. */
export interface SubscriberSocket {
  /** Sends to this connection alone, after all that was sent or published to it before. */
  send(message: string): void;
  /** Takes part in what the engine publishes under this name from now on. */
  join(topicId: string): void;
  leave(topicId: string): void;
  /** Bytes that were handed over and have not left. */
  bufferedBytes(): number;
  /** Closes with a WebSocket code and reason. */
  end(code: number, reason: string): void;
}

/** What happens to a connection whose backlog is full. */
export type SlowPolicy = 'disconnect' | 'drop-oldest' | 'conflate';

/** What was done about a slow connection. */
export type SlowAction = 'parked' | 'resumed' | 'dropped' | 'conflated' | 'disconnected';

export interface SlowLimits {
  /** Over this a connection is served from its own backlog. */
  readonly softLimitBytes: number;
  /** Most that waits in the backlog. */
  readonly hardLimitBytes: number;
  readonly policy: SlowPolicy;
}

/** WebSocket close code 1013: try again later. */
const TRY_AGAIN_LATER = 1013;

/** One connection with its subscriptions. While it is slow its messages wait in a backlog of its own, in order. */
export class Member<T> {
  readonly socket: SubscriberSocket;
  /** Its subscriptions by id. */
  readonly subscriptions = new Map<string, T>();
  /** It is served from its backlog. */
  parked = false;
  /** It is parked for being slow. */
  slow = false;
  /** Answers that must come before anything else. */
  holds = 0;
  ended = false;
  readonly #limits: SlowLimits;
  readonly #onAction: (action: SlowAction, count: number) => void;
  readonly #backlog = new Backlog();
  #dropped = 0;

  constructor(socket: SubscriberSocket, limits: SlowLimits, onAction: (action: SlowAction, count: number) => void) {
    this.socket = socket;
    this.#limits = limits;
    this.#onAction = onAction;
  }

  /** True when more is buffered than the soft limit. */
  get isOver(): boolean {
    return this.socket.bufferedBytes() > this.#limits.softLimitBytes;
  }

  /** A message to this connection alone. */
  tell(id: string, message: string, conflates: boolean): void {
    if (this.ended) return;
    if (!this.parked) {
      this.socket.send(message);
      return;
    }
    this.#backlog.push({ id, message, conflates });
    if (this.#backlog.sizeBytes > this.#limits.hardLimitBytes) this.#overflow();
  }

  /** Sends what waits as far as the soft limit allows. True when nothing waits any more. */
  flush(): boolean {
    while (!this.ended && this.socket.bufferedBytes() <= this.#limits.softLimitBytes) {
      if (this.#dropped > 0) {
        this.socket.send(droppedNotice(this.#dropped));
        this.#dropped = 0;
      }
      const next = this.#backlog.shift();
      if (next === undefined) return true;
      this.socket.send(next.message);
    }
    return false;
  }

  /** A subscription ended: nothing of it is sent any more. */
  forget(id: string): void {
    this.subscriptions.delete(id);
    if (this.parked) this.#backlog.forget(id);
  }

  #overflow(): void {
    const { policy, hardLimitBytes } = this.#limits;
    if (policy === 'conflate') {
      const gone = this.#backlog.conflate();
      if (gone > 0) this.#onAction('conflated', gone);
    } else if (policy === 'drop-oldest') {
      let gone = 0;
      for (; this.#backlog.sizeBytes > hardLimitBytes && this.#backlog.length > 1; gone++) this.#backlog.shift();
      this.#dropped += gone;
      this.#onAction('dropped', gone);
      return;
    }
    if (this.#backlog.sizeBytes <= hardLimitBytes) return;
    this.ended = true;
    this.#onAction('disconnected', 1);
    this.socket.end(TRY_AGAIN_LATER, 'slow consumer');
  }
}
