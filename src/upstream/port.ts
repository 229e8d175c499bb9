import type { Outcome } from '../chain/outcome.ts';

/** Whoever wants the bytes of one exchange with a node. Exactly one of the two is called, once, never synchronously within `send`. */
export interface ReplySink {
  /** A whole HTTP answer with a JSON body arrived (any status whose body could be JSON-RPC). `body` is the receiver's to keep. */
  onReply(status: number, body: Buffer, retryAfterMs: number): void;
  /** No usable answer: transport, timeout, http, throttled, auth or cancelled. `detail` names the fault without URL or key. */
  onFailure(outcome: Outcome, detail: string): void;
}

/** An exchange under way. */
export interface Exchange {
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
