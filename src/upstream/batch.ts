import type { Took } from '../route/sharing.ts';
import { requestBatch } from '../rpc/envelope.ts';
import type { HttpExchange } from './exchange.ts';
import type { CallSink } from './port.ts';
import type { Failure } from './failure.ts';
import type { Cargo, ExchangePlace, HttpAnswer, HttpRequest } from './request.ts';
import { readShared, readSharedFailure } from './shared.ts';
import type { Refusal, SharedAnswer } from './shared.ts';

/** What a batch needs of the client that sends it. */
export interface BatchHost {
  /** The node has answered batches as it should before. */
  readonly trusted: boolean;
  /** How the node took it. */
  onRead(batch: HttpBatch, refusal: Refusal | null): void;
  /** Nobody waits for the answer any more: the last call was cancelled. */
  onUnwanted(batch: HttpBatch): void;
  /** Sends a call alone that the batch brought no answer for. */
  resend(exchange: HttpExchange): void;
}

/** Calls that waited for the same node, on their way in one message. Each of them ends by itself. */
export class HttpBatch implements Cargo, ExchangePlace {
  readonly members: readonly HttpExchange[];
  readonly streamAboveBytes = Number.POSITIVE_INFINITY;
  /** Theirs, by place. */
  readonly calls: readonly CallSink[];
  /** What carries it; null before it is begun. */
  request: HttpRequest | null = null;
  /** Known once its answer is there. */
  took: Took = { wallMs: 0, idleMs: 0 };
  private readonly host: BatchHost;
  private open: number;

  /** @param members at least one, all with a call */
  constructor(host: BatchHost, members: readonly HttpExchange[]) {
    this.host = host;
    this.members = members;
    this.calls = members.map(({ call }) => call as CallSink);
    this.open = members.length;
    for (const member of members) member.place = this;
  }

  get wanted(): boolean {
    return this.open > 0;
  }

  get written(): boolean {
    return this.request?.written === true;
  }

  get body(): string {
    return requestBatch(this.members.map(({ body }) => body));
  }

  onLeft(): void {
    this.open--;
    if (this.open > 0) return;
    this.request?.abort();
    this.host.onUnwanted(this);
  }

  onLarge(): null {
    return null;
  }

  onAnswer(answer: HttpAnswer): void {
    const ids = this.calls.map(({ id }) => id);
    const read = readShared(answer, ids);
    this.host.onRead(this, read.refusal);
    if (read.refusal !== null && typeof read.refusal !== 'string') this.fail(read.refusal);
    else this.deliver(answer.body, read.entries);
  }

  onFailed(failure: Failure, status: number): void {
    const refusal = readSharedFailure(failure, status, this.host.trusted);
    this.host.onRead(this, refusal);
    if (typeof refusal !== 'string') this.fail(refusal);
    else this.deliver(null, []);
  }

  private deliver(body: Buffer | null, entries: SharedAnswer['entries']): void {
    for (let i = 0; i < this.members.length; i++) {
      const member = this.members[i] as HttpExchange;
      const entry = entries[i];
      if (!member.wanted) continue;
      if (body === null || entry === undefined || entry === null) this.host.resend(member);
      else if (member.settle() !== null) member.call?.onEntry(body, entry);
    }
  }

  private fail(failure: Failure): void {
    for (const member of this.members) member.onFailed(failure);
  }
}
