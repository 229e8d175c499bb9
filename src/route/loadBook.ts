import { BudgetBook } from './budgetBook.ts';

/** Sends without an answer after which a node can be called silent. */
const SILENT_SENDS = 3;

/**
 * Who is working on how much: calls in flight per upstream of one chain, and since when a node has said nothing.
 * Only the attempt machine writes it, or, where others make the calls, what they tell. Indices are `RouteEntry.index`.
 */
export class LoadBook {
  readonly budgets = new BudgetBook();
  /** Called when an attempt is over. */
  onEnded: (upstreamIndex: number) => void = () => undefined;
  private counts: Int32Array;
  private unanswered: Int32Array;
  /** When the first of the unanswered was sent. */
  private askedAtMs: Float64Array;

  /** @param upstreams how many upstreams the chain has */
  constructor(upstreams: number) {
    this.counts = new Int32Array(upstreams);
    this.unanswered = new Int32Array(upstreams);
    this.askedAtMs = new Float64Array(upstreams);
  }

  /** Calls in flight at an upstream. */
  inFlight(upstreamIndex: number): number {
    return this.counts[upstreamIndex] ?? 0;
  }

  /** An attempt was sent. @param weight units of its method */
  sent(upstreamIndex: number, nowMs: number, weight = 1): void {
    this.budgets.charge(upstreamIndex, weight, nowMs);
    if (upstreamIndex >= this.counts.length) this.grow(upstreamIndex + 1);
    this.counts[upstreamIndex] = this.inFlight(upstreamIndex) + 1;
    const before = this.unanswered[upstreamIndex] ?? 0;
    if (before === 0) this.askedAtMs[upstreamIndex] = nowMs;
    this.unanswered[upstreamIndex] = before + 1;
  }

  /** An attempt is over, however it ended. Called once for every `sent`. */
  ended(upstreamIndex: number): void {
    this.counts[upstreamIndex] = Math.max(0, this.inFlight(upstreamIndex) - 1);
    this.onEnded(upstreamIndex);
  }

  /** Calls of another process began (above 0) or ended. */
  move(upstreamIndex: number, calls: number): void {
    if (upstreamIndex >= this.counts.length) this.grow(upstreamIndex + 1);
    this.counts[upstreamIndex] = this.inFlight(upstreamIndex) + calls;
  }

  /** The node said something, good or bad; also to be called for a probe that was answered. */
  answered(upstreamIndex: number): void {
    this.unanswered[upstreamIndex] = 0;
  }

  /** Ms since the node was asked the first thing that it has not answered, when it owes at least three answers; else 0. */
  silentForMs(upstreamIndex: number, nowMs: number): number {
    if ((this.unanswered[upstreamIndex] ?? 0) < SILENT_SENDS) return 0;
    return nowMs - (this.askedAtMs[upstreamIndex] ?? nowMs);
  }

  private grow(upstreams: number): void {
    const widen = <T extends Int32Array | Float64Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.counts = widen(this.counts, new Int32Array(upstreams));
    this.unanswered = widen(this.unanswered, new Int32Array(upstreams));
    this.askedAtMs = widen(this.askedAtMs, new Float64Array(upstreams));
  }
}
