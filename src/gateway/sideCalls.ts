import type { TimerHandle, Timers } from '../base/clock.ts';
import type { Catalog } from '../chain/catalog.ts';
import type { SideCall } from '../observe/metricTable.ts';
import type { CacheMetrics } from '../observe/cacheMetrics.ts';
import { requestEnvelope } from '../rpc/envelope.ts';
import { splitReply } from '../rpc/reply.ts';
import type { SplitReply } from '../rpc/reply.ts';
import type { CallSink, Exchange } from '../upstream/port.ts';
import type { UpstreamNode } from './node.ts';

/** What a node said to a call of our own: its result, an error of its own, or nothing that could be used. */
export type SideReply =
  | { readonly kind: 'result'; readonly body: Buffer; readonly start: number; readonly end: number }
  | { readonly kind: 'error' }
  | { readonly kind: 'silent' };

/** How long a node may take over one. */
const TIMEOUT_MS = 2000;
/** Ids of clients' calls are below. */
const FIRST_ID = 0x80000000;
const LAST_ID = 0xffffffff;

const SILENT: SideReply = { kind: 'silent' };

export interface SideParts {
  readonly catalog: Catalog;
  readonly timers: Timers;
  readonly metrics: CacheMetrics;
  node(index: number): UpstreamNode | undefined;
}

/** Calls that the edge makes of itself, past routing and its limits: few, light, and never waited for by a client. */
export class SideCalls {
  readonly #parts: SideParts;
  #lastId = FIRST_ID;

  constructor(parts: SideParts) {
    this.#parts = parts;
  }

  /** @param done is told once, never before this returns */
  ask(kind: SideCall, index: number, [method, paramsRaw]: readonly [method: string, paramsRaw: string], done: (reply: SideReply) => void): void {
    const { catalog, timers, metrics } = this.#parts;
    const node = this.#parts.node(index);
    if (node === undefined) return queueMicrotask(() => done(SILENT));
    metrics.onSideCall(kind);
    this.#lastId = this.#lastId >= LAST_ID ? FIRST_ID : this.#lastId + 1;
    const spec = catalog.find(method) ?? catalog.unknownSpec;
    const sink = new SideSink(this.#lastId, spec, done);
    sink.begin(node.client.call(requestEnvelope(sink.id, method, paramsRaw), sink), timers);
  }
}

/** One of them under way. */
class SideSink implements CallSink {
  readonly hash = 0;
  readonly streamAboveBytes = Number.POSITIVE_INFINITY;
  readonly id: number;
  readonly method: number;
  readonly batchable: boolean;
  private readonly done: (reply: SideReply) => void;
  private timer: TimerHandle | null = null;
  private over = false;

  constructor(id: number, spec: { readonly index: number; readonly batchable: boolean }, done: (reply: SideReply) => void) {
    this.id = id;
    this.method = spec.index;
    this.batchable = spec.batchable;
    this.done = done;
  }

  begin(exchange: Exchange, timers: Timers): void {
    this.timer = timers.after(TIMEOUT_MS, () => {
      exchange.cancel();
      this.end(SILENT);
    });
  }

  onReply(_status: number, body: Buffer): void {
    this.onEntry(body, splitReply(body));
  }

  onLarge(): null {
    return null;
  }

  onEntry(body: Buffer, entry: SplitReply): void {
    if (entry.kind === 'bad' || entry.id !== this.id) return this.end(SILENT);
    this.end(entry.kind === 'result' ? { kind: 'result', body, start: entry.start, end: entry.end } : { kind: 'error' });
  }

  onFailure(): void {
    this.end(SILENT);
  }

  private end(reply: SideReply): void {
    if (this.over) return;
    this.over = true;
    this.timer?.cancel();
    this.done(reply);
  }
}
