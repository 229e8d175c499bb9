import { splitMessage } from '../rpc/message.ts';
import type { Notice } from '../rpc/message.ts';
import type { SplitReply } from '../rpc/reply.ts';
import { cancelledFailure, closingFailure, lostFailure, refusedHere, unreachedFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import { IdTable } from './idTable.ts';
import { KeptSocket } from './kept.ts';
import type { KeptSocketListener, KeptSocketOptions, KeptSocketPorts } from './kept.ts';
import type { CallSink, Exchange } from './port.ts';

export interface RpcSocketOptions extends KeptSocketOptions {
  /** Most calls under way at once. */
  readonly maxInFlight: number;
}

/** What an `RpcSocket` tells beside the answers to its calls. Texts hold no URL and no key. */
export interface RpcSocketListener {
  /** Connected: calls can be sent; no subscription of an earlier connection stands. */
  onUp(): void;
  /** A connection, or a try at one, ended; its calls have failed by now. Another try follows. */
  onDown(reason: string): void;
  /** @param message the whole message that the notice is a part of; the receiver's to keep */
  onNotice(notice: Notice, message: Buffer): void;
  /** Left out: what is neither an answer nor a notice, or answers nobody; late answers to calls given up are among these. */
  onStray(detail: string): void;
}

const UNCONNECTED = unreachedFailure('the socket is not connected');
/** Calls wait in memory while the node does not take them; from here on no more are sent. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;

/** One call under way on a socket. */
class SocketCall implements Exchange {
  readonly id: number;
  readonly waiting = false;
  private readonly calls: IdTable<SocketCall>;
  private sink: CallSink | null;

  constructor(calls: IdTable<SocketCall>, sink: CallSink) {
    this.id = sink.id;
    this.calls = calls;
    this.sink = sink;
  }

  cancel(): void {
    const wasSent = this.calls.remove(this);
    this.fail(cancelledFailure(!wasSent));
  }

  fail({ outcome, detail }: Failure): void {
    this.settle()?.onFailure(outcome, detail);
  }

  answer(message: Buffer, entry: SplitReply): void {
    this.settle()?.onEntry(message, entry);
  }

  private settle(): CallSink | null {
    const { sink } = this;
    this.sink = null;
    return sink;
  }
}

/**
 * JSON-RPC over one WebSocket that is kept open: calls go out at once and are matched to their answers by id, in any order; notices of
 * subscriptions go to the listener. When the connection is lost all its calls fail as `transport`, for they may have run.
 */
export class RpcSocket implements KeptSocketListener {
  private readonly options: RpcSocketOptions;
  private readonly listener: RpcSocketListener;
  private readonly socket: KeptSocket;
  private readonly calls = new IdTable<SocketCall>();
  private up = false;

  /** @throws Error naming the fault of URL or headers, never a value */
  constructor(options: RpcSocketOptions, ports: KeptSocketPorts, listener: RpcSocketListener) {
    this.options = options;
    this.listener = listener;
    this.socket = new KeptSocket(options, ports, this);
  }

  /** True while it is connected. */
  get live(): boolean {
    return this.up;
  }

  /** Calls under way. */
  get inFlight(): number {
    return this.calls.size;
  }

  /** True when it takes a call now. */
  get free(): boolean {
    return this.up && this.calls.size < this.options.maxInFlight && this.socket.unsentBytes < MAX_UNSENT_BYTES;
  }

  /** Called when no call is under way any more. */
  set onIdle(run: () => void) {
    this.calls.onEmptied = run;
  }

  /** Call once. */
  start(): void {
    this.socket.start();
  }

  /**
   * Sends one call. It has no timeout of its own: the caller cancels what takes too long. Where it cannot be sent the sink gets
   * `transport`, unsent; with blame while the node is not connected.
   * @param body its envelope as a latin1 string: one char per byte of the UTF-8 text; its id is the sink's
   */
  call(body: string, sink: CallSink): Exchange {
    const call = new SocketCall(this.calls, sink);
    if (!this.free || !this.calls.add(call)) {
      const failure = this.up ? refusedHere('too many calls on the socket') : UNCONNECTED;
      queueMicrotask(() => call.fail(failure));
    } else {
      this.socket.send(body);
    }
    return call;
  }

  /** The node does not do what the connection is for: drops it, and tries another later. */
  lose(reason: string): void {
    this.socket.lose(reason);
  }

  /** Fails what is under way; nothing more is told to the listener. */
  close(): void {
    this.up = false;
    this.socket.close();
    for (const call of this.calls.clear()) call.fail(closingFailure(false));
  }

  onOpen(): void {
    this.up = true;
    this.socket.ready();
    this.listener.onUp();
  }

  onDown(reason: string): void {
    this.up = false;
    for (const call of this.calls.clear()) call.fail(lostFailure(reason));
    this.listener.onDown(reason);
  }

  onBinary(): void {
    this.listener.onStray('a binary message');
  }

  onText(text: Buffer): void {
    const message = splitMessage(text);
    if (message.kind === 'notice') {
      this.socket.proved();
      this.listener.onNotice(message, text);
      return;
    }
    if (message.kind === 'bad') {
      this.listener.onStray(message.why);
      return;
    }
    const call = this.calls.take(message.id);
    if (call === null) {
      this.listener.onStray('an answer that nobody waits for');
      return;
    }
    this.socket.proved();
    call.answer(text, message);
  }
}
