import type { AttemptLog } from './attemptLog.ts';
import type { AttemptCall, NodeReply } from './attemptPort.ts';
import type { LoadBook } from './loadBook.ts';
import type { RouteEntry } from './table.ts';

/** A node is silent when it has owed its answers for this many hedge delays, and at least this long. */
const SILENT_DELAYS = 2;
const SILENT_MIN_MS = 50;

/** A node's quantiles come from all calls, mostly light ones: log queries and traces get this many times the time. */
const HEAVY_PATIENCE = 10;

const NOBODY: Pick<AttemptCall, 'candidates' | 'candidateCount'> = { candidates: new Int32Array(0), candidateCount: 0 };

/** Who is left for a call: its ranked candidates without those that were tried or went out meanwhile. */
export class Candidates<R extends NodeReply> {
  private readonly log: AttemptLog<R>;
  private readonly book: LoadBook;
  private readonly out: number[] = [];
  private call: AttemptCall | null = null;
  private patience = 1;

  constructor(log: AttemptLog<R>, book: LoadBook) {
    this.log = log;
    this.book = book;
  }

  begin(call: AttemptCall): void {
    this.call = call;
    this.patience = call.method.class === 'logs' || call.method.class === 'trace' ? HEAVY_PATIENCE : 1;
    this.out.length = 0;
  }

  end(): void {
    this.call = null;
  }

  entry(upstreamIndex: number): RouteEntry {
    return this.call?.table.entries[upstreamIndex] as RouteEntry;
  }

  /** Time that an attempt of this call may take there while another node could be asked. */
  timeoutMs(upstreamIndex: number): number {
    return this.entry(upstreamIndex).attemptTimeoutMs * this.patience;
  }

  /** Time after which this call is worth a second node. */
  hedgeDelayMs(upstreamIndex: number): number {
    return this.entry(upstreamIndex).hedgeDelayMs * this.patience;
  }

  /** The node left service during the call. */
  ruleOut(upstreamIndex: number): void {
    if (!this.isOut(upstreamIndex)) this.out.push(upstreamIndex);
  }

  isOut(upstreamIndex: number): boolean {
    return this.out.includes(upstreamIndex);
  }

  /** The node is out, or has answered nobody for so long that nothing is to be expected. */
  isLost(upstreamIndex: number, nowMs: number): boolean {
    if (this.isOut(upstreamIndex)) return true;
    const limitMs = Math.max(SILENT_MIN_MS, SILENT_DELAYS * this.entry(upstreamIndex).hedgeDelayMs);
    return this.book.silentForMs(upstreamIndex, nowMs) > limitMs;
  }

  /** Whether nothing is to be expected of any open attempt; also true when none is open. */
  openAreLost(nowMs: number): boolean {
    return this.log.everyOpen((index) => this.isLost(index, nowMs));
  }

  /** Gives every open attempt no more than its node's own time from now: for a call with a null in hand. */
  capWaits(nowMs: number): void {
    for (let i = 0; i < this.log.count; i++) {
      const record = this.log.at(i);
      if (record?.open !== true) continue;
      record.timeoutAtMs = Math.min(record.timeoutAtMs, nowMs + this.timeoutMs(record.upstreamIndex));
    }
  }

  /** Whether an untried node is left. */
  any(): boolean {
    const { candidates, candidateCount } = this.call ?? NOBODY;
    for (let i = 0; i < candidateCount; i++) if (this.isFresh(candidates[i] as number)) return true;
    return false;
  }

  /**
   * The next untried node with room, in flight and in its budget, or -1. Silent nodes come last.
   * @param aboveHead only nodes that told of a newer head than this
   */
  next(nowMs: number, aboveHead = Number.NEGATIVE_INFINITY): number {
    const { candidates, candidateCount } = this.call ?? NOBODY;
    const weight = this.call?.method.weight ?? 0;
    let silent = -1;
    for (let i = 0; i < candidateCount; i++) {
      const index = candidates[i] as number;
      const entry = this.entry(index);
      if (!this.isFresh(index) || entry.headNumber <= aboveHead || this.book.inFlight(index) >= entry.maxInFlight)
        continue;
      if (!this.book.budgets.hasRoom(index, weight, nowMs)) continue;
      if (!this.isLost(index, nowMs)) return index;
      if (silent < 0) silent = index;
    }
    return silent;
  }

  /** As `next`; rather than nobody, a node whose budget is not too far overdrawn. */
  retryNext(nowMs: number): number {
    const next = this.next(nowMs);
    if (next >= 0) return next;
    const { candidates, candidateCount } = this.call ?? NOBODY;
    for (let i = 0; i < candidateCount; i++) {
      const index = candidates[i] as number;
      if (!this.isFresh(index) || this.book.inFlight(index) >= this.entry(index).maxInFlight) continue;
      if (this.book.budgets.mayOverdraw(index, nowMs)) return index;
    }
    return -1;
  }

  private isFresh(upstreamIndex: number): boolean {
    return !this.log.tried(upstreamIndex) && !this.isOut(upstreamIndex);
  }
}
