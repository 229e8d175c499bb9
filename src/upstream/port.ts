import type { Outcome } from '../chain/outcome.ts';
import type { SplitReply } from '../rpc/reply.ts';

/** Whoever wants the bytes of one exchange with a node. Exactly one of its methods is called, once, never synchronously within `send`. */
export interface ReplySink {
  /** A whole HTTP answer with a JSON body arrived (any status whose body could be JSON-RPC). `body` is the receiver's to keep. */
  onReply(status: number, body: Buffer, retryAfterMs: number): void;
  /** No usable answer: transport, timeout, http, throttled, auth or cancelled. `detail` names the fault without URL or key. */
  onFailure(outcome: Outcome, detail: string): void;
}

/** The rest of a large answer, on its way. */
export interface BodyFlow {
  /** Bytes of the whole answer as announced; -1 = not announced. */
  readonly lengthBytes: number;
  /** Goes on after a piece that was answered with false. */
  resume(): void;
  /** Closes the connection; nothing comes any more. */
  abort(): void;
}

/** Whoever takes a large answer piece by piece. After `onEnd`, `onFailed` or an abort nothing comes. */
export interface FlowSink {
  /** False: nothing more until `resume`. */
  readonly ready: boolean;
  /** The next piece; its bytes are the receiver's. */
  onPiece(piece: Buffer): void;
  onEnd(): void;
  /** The rest will not come. */
  onFailed(outcome: Outcome): void;
}

/** Whoever wants the answer to one call whose envelope has an id of our own. */
export interface CallSink extends ReplySink {
  /** The envelope's id: unique among the calls under way at the node. */
  readonly id: number;
  /** Index of the method in the catalogue. */
  readonly method: number;
  /** Equal for calls that cost a node the same, such as the same call asked again; 0 = not known. */
  readonly hash: number;
  /** Whether the method may leave in one message with others. */
  readonly batchable: boolean;
  /** An answer over this many bytes may be offered by `onLarge` while it comes; Infinity = never. */
  readonly streamAboveBytes: number;
  /**
   * The answer is a large one.
   * @param pieces all that has come of it
   * @returns who takes all of it piece by piece, beginning with these: no other method is called then. Null = not now, it is offered again with more of it
   */
  onLarge(pieces: readonly Buffer[], flow: BodyFlow): FlowSink | null;
  /**
   * Instead of `onReply`: the answer came in one message with others. Its id is that of the call.
   * @param body the whole message: not to be kept longer than what is read out of it
   */
  onEntry(body: Buffer, entry: SplitReply): void;
}

/** An exchange under way. */
export interface Exchange {
  /** It waits for its turn on our side: the node was not asked yet. */
  readonly waiting: boolean;
  /** Stops waiting and frees the connection; the sink gets `cancelled`. Idempotent. */
  cancel(): void;
}

/** One node, as something that can be sent a JSON-RPC body. */
export interface UpstreamClient {
  readonly name: string;
  /**
   * Sends one JSON-RPC body (single or batch).
   * @param body latin1 string: one char per byte of the UTF-8 text
   * @param timeoutMs whole exchange, connect to last byte
   */
  send(body: string, timeoutMs: number, sink: ReplySink): Exchange;
  /** Finishes what is under way up to `graceMs`, then closes all sockets. */
  close(graceMs: number): Promise<void>;
}

/** One node, as something that can be asked a call. */
export interface CallClient {
  /**
   * Sends one call, by itself or in one message with others that wait for the same node. It has no timeout of its own: the caller
   * cancels what takes too long.
   * @param body its envelope as a latin1 string: one char per byte of the UTF-8 text
   */
  call(body: string, sink: CallSink): Exchange;
}
