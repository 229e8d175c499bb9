import type { Outcome } from '../chain/outcome.ts';
import type { NodeReply } from './attemptPort.ts';

/** One send of a call and what became of it. */
export interface AttemptRecord<R extends NodeReply> {
  number: number;
  upstreamIndex: number;
  open: boolean;
  timeoutAtMs: number;
  /** Null while it is open. */
  outcome: Outcome | null;
  /** The node's whole answer, where there is one. */
  reply: R | null;
}

/** The sends of one call, in order. Records are kept and reused over calls. */
export class AttemptLog<R extends NodeReply> {
  count = 0;
  open = 0;
  private records: AttemptRecord<R>[] = [];
  private nextNumber = 0;

  at(position: number): AttemptRecord<R> | undefined {
    return position < this.count ? this.records[position] : undefined;
  }

  /** The open record of that number, if it is one of this call. */
  find(number: number): AttemptRecord<R> | undefined {
    const record = this.at(number - (this.nextNumber - this.count));
    return record?.open === true ? record : undefined;
  }

  add(upstreamIndex: number, timeoutAtMs: number): AttemptRecord<R> {
    let record = this.records[this.count];
    if (record === undefined) {
      record = { number: 0, upstreamIndex: 0, open: false, timeoutAtMs: 0, outcome: null, reply: null };
      // a first `push` would make room for seventeen
      if (this.count === 0) this.records = [record];
      else this.records.push(record);
    }
    record.number = this.nextNumber++;
    record.upstreamIndex = upstreamIndex;
    record.open = true;
    record.timeoutAtMs = timeoutAtMs;
    record.outcome = null;
    record.reply = null;
    this.count++;
    this.open++;
    return record;
  }

  close(record: AttemptRecord<R>, outcome: Outcome, reply: R | null): void {
    record.open = false;
    record.outcome = outcome;
    record.reply = reply;
    this.open--;
  }

  /** The open record at that upstream. */
  openAt(upstreamIndex: number): AttemptRecord<R> | null {
    for (let i = 0; i < this.count; i++) {
      const record = this.records[i];
      if (record?.open === true && record.upstreamIndex === upstreamIndex) return record;
    }
    return null;
  }

  everyOpen(test: (upstreamIndex: number) => boolean): boolean {
    for (let i = 0; i < this.count; i++) {
      const record = this.records[i];
      if (record?.open === true && !test(record.upstreamIndex)) return false;
    }
    return true;
  }

  /** When the first open attempt is over its time; infinite when none is open. */
  nextTimeoutAtMs(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (let i = 0; i < this.count; i++) {
      const record = this.records[i];
      if (record?.open === true) atMs = Math.min(atMs, record.timeoutAtMs);
    }
    return atMs;
  }

  /** Whether the call went to this node before. */
  tried(upstreamIndex: number): boolean {
    for (let i = 0; i < this.count; i++) if (this.records[i]?.upstreamIndex === upstreamIndex) return true;
    return false;
  }

  /** Whether a send other than `except` may have reached its node. */
  mayHaveRun(except: AttemptRecord<R> | null): boolean {
    for (let i = 0; i < this.count; i++) {
      const record = this.records[i];
      if (record !== except && record?.outcome?.unsent !== true) return true;
    }
    return false;
  }

  /** Forgets the call and lets go of its answers. */
  clear(): void {
    for (let i = 0; i < this.count; i++) {
      const record = this.records[i];
      if (record !== undefined) record.reply = null;
    }
    this.count = 0;
    this.open = 0;
  }
}
