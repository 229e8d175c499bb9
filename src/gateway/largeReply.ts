import type { TimerHandle, Timers } from '../base/clock.ts';
import type { Outcome } from '../chain/outcome.ts';
import { VERDICTS } from '../chain/errors/verdicts.ts';
import type { BodyFlow as ClientFlow, FlowOut } from '../edge/port.ts';
import type { StreamEnding } from '../observe/metricTable.ts';
import { integerId } from '../rpc/reply.ts';
import type { ReplyScan } from '../rpc/replyScan.ts';
import type { BodyFlow as NodeFlow, FlowSink } from '../upstream/port.ts';

/** Limits of one answer on its way, and who is told of its end. */
export interface LargeParts {
  readonly timers: Timers;
  /** Longest time without a byte from the node or to the client. */
  readonly stallMs: number;
  /** Longest time of the whole. */
  readonly timeoutMs: number;
  /** Most bytes of the node's answer. */
  readonly maxBytes: number;
  /** @param outcome what is held against the node; null = nothing */
  onOver(ending: StreamEnding, outcome: Outcome | null): void;
}

/** A large answer as far as it has come. */
export interface LargeStart {
  /** It has read all pieces, and is within the result. */
  readonly scan: ReplyScan;
  readonly pieces: readonly Buffer[];
  readonly flow: NodeFlow;
  /** Our own id, which the answer must have. */
  readonly id: number;
}

/** More than this behind a result is no envelope. */
const MAX_TAIL_BYTES = 65_536;
const SPACE = 0x20;
const CLOSE_BRACE = 0x7d;
const TIMEOUT: Outcome = Object.freeze({ class: 'timeout', retry: 'other', blame: true, unsent: false, holdMs: 0 });

/**
 * A node's large answer on its way to the client, as fast as that takes it: the result's bytes as they are, in an envelope of our own. All
 * of it is read on the way; what turns out to be no whole answer to our call ends with the client's connection. Offered -> (begin) -> under
 * way -> over; or offered -> over, where nobody takes it.
 */
export class LargeReply implements FlowSink, ClientFlow {
  ready = true;
  lengthBytes = -1;
  private readonly parts: LargeParts;
  private readonly scan: ReplyScan;
  private readonly flow: NodeFlow;
  private readonly id: number;
  private pieces: readonly Buffer[];
  private head = '';
  private out: FlowOut | null = null;
  private over = false;
  private sentBytes = 0;
  private timer: TimerHandle | null = null;
  private leftMs: number;
  private moved = false;
  private readonly releases: (() => void)[] = [];

  constructor(start: LargeStart, parts: LargeParts) {
    this.scan = start.scan;
    this.flow = start.flow;
    this.id = start.id;
    this.parts = parts;
    this.pieces = start.pieces;
    this.leftMs = parts.timeoutMs;
  }

  /** Somebody takes it. */
  get taken(): boolean {
    return this.out !== null;
  }

  /** @param idRaw the client's id */
  address(idRaw: string): void {
    const { flow, scan } = this;
    this.head = `{"jsonrpc":"2.0","id":${idRaw},"result":`;
    // the node's own envelope is replaced by ours, and by spaces where its end is longer
    this.lengthBytes = flow.lengthBytes < 0 ? -1 : this.head.length + flow.lengthBytes - scan.resultStart;
  }

  /** What is to be given back when it is over. */
  hold(release: () => void): void {
    if (this.over) release();
    else this.releases.push(release);
  }

  begin(out: FlowOut): void {
    this.out = out;
    if (this.over) return queueMicrotask(() => out.cut());
    const { pieces } = this;
    this.pieces = [];
    this.write(Buffer.from(this.head, 'latin1'));
    let at = 0;
    for (const piece of pieces) {
      this.pass(piece, at);
      at += piece.length;
    }
    this.watch();
  }

  /** Nobody has taken it: the node need not go on. */
  drop(): void {
    this.end('dropped', null);
  }

  onPiece(piece: Buffer): void {
    const { scan } = this;
    if (this.over) return;
    this.moved = true;
    const at = scan.sizeBytes;
    scan.push(piece);
    const tailBytes = scan.resultEnd < 0 ? 0 : at + piece.length - scan.resultEnd;
    if (scan.failed || tailBytes > MAX_TAIL_BYTES) return this.end('malformed', VERDICTS.badJson);
    if (at + piece.length > this.parts.maxBytes) return this.end('too_large', null);
    this.pass(piece, at);
  }

  onEnd(): void {
    const { scan, id, out } = this;
    if (this.over || out === null) return;
    if (!scan.complete || scan.isError || integerId(scan.idRaw) !== id) return this.end('malformed', VERDICTS.badJson);
    const tail = Buffer.alloc(this.lengthBytes < 0 ? 1 : this.lengthBytes - this.sentBytes, SPACE);
    tail[0] = CLOSE_BRACE;
    this.close('whole', null);
    out.write(tail);
    out.end();
  }

  onFailed(outcome: Outcome): void {
    this.end('failed', outcome);
  }

  onDrain(): void {
    if (this.over) return;
    this.moved = true;
    this.ready = true;
    this.flow.resume();
  }

  onGone(): void {
    this.end('gone', null);
  }

  /** Hands on what a piece holds of the result. @param at its offset in the node's answer */
  private pass(piece: Buffer, at: number): void {
    const { resultStart, resultEnd } = this.scan;
    const from = Math.max(0, resultStart - at);
    const to = resultEnd < 0 ? piece.length : Math.min(piece.length, resultEnd - at);
    if (from < to) this.write(from === 0 && to === piece.length ? piece : piece.subarray(from, to));
  }

  private write(bytes: Buffer): void {
    if (this.over) return;
    this.sentBytes += bytes.length;
    // the last byte is our envelope's: without it nobody can take the body for whole
    if (this.lengthBytes >= 0 && this.sentBytes >= this.lengthBytes) return this.end('malformed', VERDICTS.badJson);
    if (this.out?.write(bytes) === false) this.ready = false;
  }

  /** Ends what does not move, or takes too long. */
  private watch(): void {
    const { timers, stallMs } = this.parts;
    const delayMs = Math.min(stallMs, this.leftMs);
    this.moved = false;
    this.timer = timers.after(delayMs, () => {
      this.leftMs -= delayMs;
      if (this.moved && this.leftMs > 0) return this.watch();
      this.end('stalled', this.moved || !this.ready ? null : TIMEOUT);
    });
  }

  /** any -> over, before the end. */
  private end(ending: StreamEnding, outcome: Outcome | null): void {
    if (this.over) return;
    this.close(ending, outcome);
    this.flow.abort();
    this.out?.cut();
  }

  private close(ending: StreamEnding, outcome: Outcome | null): void {
    this.over = true;
    this.timer?.cancel();
    this.pieces = [];
    for (const release of this.releases.splice(0)) release();
    this.parts.onOver(ending, outcome);
  }
}
