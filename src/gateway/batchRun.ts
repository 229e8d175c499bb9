import { Fault } from '../base/fault.ts';
import { BatchAssembly } from '../rpc/batch.ts';
import { errorEnvelope } from '../rpc/envelope.ts';
import type { ScannedCall } from '../rpc/scan.ts';
import { runOf } from './runOf.ts';
import type { ClientRun } from './runOf.ts';
import type { CacheVerdict } from './cacheVerdict.ts';
import type { ChainRuntime } from './chain.ts';
import type { Client, ServeContext } from './context.ts';

/** How often entries are run anew because the trusted chain changed under the batch. */
const MAX_RERUNS = 3;

/**
 * A client's batch: its entries run as calls of their own, at most `batchConcurrency` at once, all on one head. Where a
 * reorg, or an answer from above that head, came between them, those that depend on it run once more on another.
 */
export class BatchRun {
  private readonly server: ServeContext;
  private readonly chain: ChainRuntime;
  private readonly calls: readonly ScannedCall[];
  private readonly client: Client;
  private readonly assembly: BatchAssembly;
  private readonly running = new Set<ClientRun>();
  /** Entries whose answers another head may change. */
  private readonly bound = new Set<number>();
  private raised = false;
  private reruns = 0;
  /** `hit` where no node was asked, `bypass` where the cache was of no concern to any entry. */
  cache: CacheVerdict = 'bypass';
  private hits = 0;
  private ended = 0;
  private starting = false;
  private gone = false;
  private done: (body: Buffer | null) => void = () => undefined;

  constructor(server: ServeContext, chain: ChainRuntime, calls: readonly ScannedCall[], client: Client) {
    this.server = server;
    this.chain = chain;
    this.calls = calls;
    this.client = client;
    this.assembly = new BatchAssembly(calls, server.parts.server.maxResponseBytes);
    for (const call of calls) if (call.fault !== null) server.parts.metrics.onRefusal(call.fault.spec.kind);
  }

  /** @param done gets the body once, when the last entry has ended; null when there is nothing to answer */
  start(done: (body: Buffer | null) => void): void {
    this.done = done;
    this.fill();
  }

  /** The client is gone: nothing more is sent, what is under way is stopped. */
  abandon(): void {
    this.gone = true;
    for (const run of this.running) run.abandon();
    this.running.clear();
  }

  /** Starts entries up to the limit. Entries that end at once do not recurse. */
  private fill(): void {
    if (this.starting || this.gone) return;
    this.starting = true;
    do {
      while (this.running.size < this.server.parts.server.batchConcurrency) {
        const position = this.assembly.take();
        if (position < 0) break;
        this.begin(position, this.calls[position] as ScannedCall);
      }
    } while (this.assembly.done && this.isOvertaken() && this.reopen());
    this.starting = false;
    if (this.assembly.done) this.finish();
  }

  private begin(position: number, call: ScannedCall): void {
    const run = runOf(this.server, this.chain, call, this.client);
    this.running.add(run);
    run.start((answer) => {
      this.running.delete(run);
      this.note(answer.cache);
      if (run.mayChange) this.bound.add(position);
      this.raised ||= run.raised;
      this.assembly.settle(position, answer.body);
      this.fill();
    });
  }

  private note(cache: CacheVerdict): void {
    this.hits += cache === 'hit' ? 1 : 0;
    this.ended++;
    if (this.hits === this.ended) this.cache = 'hit';
    else if (this.cache === 'hit' || cache !== 'bypass') this.cache = 'miss';
  }

  private isOvertaken(): boolean {
    return this.bound.size > 0 && (this.raised || this.client.vantage.epoch !== this.chain.view.epoch);
  }

  /** Takes back what another head may change; true when it is to run again. */
  private reopen(): boolean {
    const isLast = this.reruns++ >= MAX_RERUNS;
    for (const position of this.bound) {
      this.assembly.reopen(position);
      if (isLast) this.assembly.settle(position, errorEnvelope(this.calls[position]?.idRaw ?? 'null', new Fault('notAtHead', '', null, 1)));
    }
    this.bound.clear();
    this.raised = false;
    this.client.vantage = this.chain.tip.now();
    this.chain.metrics.view.onEvent('begun_anew');
    return !isLast;
  }

  private finish(): void {
    const { done } = this;
    this.done = () => undefined;
    done(this.assembly.body());
  }
}
