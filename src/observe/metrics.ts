import { Registry, collectDefaultMetrics } from 'prom-client';
import { ChainMetrics } from './chainMetrics.ts';
import { LABELS } from './metricTable.ts';
import { Page, registerTable } from './page.ts';
import type { Sheet } from './page.ts';
import { Cell, COUNT_SCALE, CounterSet, LogHistogram } from './series.ts';
import { tallyScopes } from './tally.ts';
import type { Scope } from './tally.ts';
import { WorkerMetrics } from './workerMetrics.ts';

export type { ChainMetrics };

export interface MetricsOptions {
  /** Version of the product. */
  readonly version: string;
  /** Memory, processor, event loop and garbage collection of the process too. */
  readonly processMetrics: boolean;
}

/**
 * All metrics of a gateway. Counts live in plain arrays and are turned into samples when a scrape asks, so that a call
 * pays a few array writes. Every series is born at zero, except those with a `method`.
 */
export class GatewayMetrics {
  readonly workers = new WorkerMetrics();
  readonly #registry = new Registry();
  readonly #chains = new Map<string, ChainMetrics>();
  readonly #refusals = new CounterSet({}, 'kind', LABELS.refusals);
  readonly #batches = new LogHistogram({}, COUNT_SCALE);
  readonly #build: Readonly<Record<string, string>>;
  readonly #fillers: (() => void)[] = [];
  readonly #clientGone = new Cell();
  readonly #connections = new Cell();
  readonly #inFlight = new Cell();
  readonly #diskUp = new Cell();
  readonly #diskEvicted = new Cell();
  #diskBytes = 0;
  #page = new Page();

  constructor(options: MetricsOptions) {
    this.#build = { version: options.version, node_version: process.version };
    registerTable(this.#registry, () => this.#page);
    if (options.processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  /** HTTP content type of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /**
   * Adds a chain and its upstreams, in the order of their indices.
   * @param methods names of the method catalogue by index
   * @throws Error when the chain is there already
   */
  addChain(name: string, methods: readonly string[], upstreams: readonly string[]): ChainMetrics {
    if (this.#chains.has(name)) throw new Error(`metrics: chain ${name} was added twice`);
    const chain = new ChainMetrics(name, methods);
    for (const [index, upstream] of upstreams.entries()) chain.addUpstream(index, upstream);
    this.#chains.set(name, chain);
    return chain;
  }

  removeChain(name: string): void {
    this.#chains.delete(name);
  }

  /** Runs before each scrape: the place to set gauges. */
  beforeScrape(fill: () => void): void {
    this.#fillers.push(fill);
  }

  /** A request or call was refused before a node was asked. @param kind `FaultSpec.kind` */
  onRefusal(kind: string): void {
    this.#refusals.add(kind as (typeof LABELS.refusals.names)[number]);
  }

  onClientGone(): void {
    this.#clientGone.add();
  }

  /** A client sent a batch of so many entries. */
  onBatch(items: number): void {
    this.#batches.observe(items);
  }

  /** Client connections that are open, as last told. */
  get connections(): number {
    return this.#connections.value;
  }

  setConnections(connections: number): void {
    this.#connections.set(connections);
  }

  setInFlight(calls: number): void {
    this.#inFlight.set(calls);
  }

  /** Whether this process uses the file of stored answers. */
  setDiskUp(up: boolean): void {
    this.#diskUp.set(up ? 1 : 0);
  }

  setDiskBytes(bytes: number): void {
    this.#diskBytes = bytes;
  }

  onDiskEvicted(answers: number): void {
    this.#diskEvicted.add(answers);
  }

  /** The whole exposition in Prometheus text format. */
  text(): Promise<string> {
    this.fill();
    this.#page = this.#gather();
    return this.#registry.metrics();
  }

  /** Sets the gauges of everything that is only looked at when somebody asks. */
  fill(): void {
    for (const fill of this.#fillers) fill();
  }

  /** What adds up over processes. */
  scopes(): readonly Scope[] {
    return tallyScopes((sheet) => this.#emitOwn(sheet), this.#chains);
  }

  #gather(): Page {
    const page = new Page();
    this.#emitOwn(page);
    this.workers.emit(page);
    for (const chain of this.#chains.values()) chain.emit(page);
    return page;
  }

  #emitOwn(page: Sheet): void {
    page.value('buildInfo', this.#build, 1);
    page.level('clientConnections', {}, this.#connections);
    page.level('inFlight', {}, this.#inFlight);
    page.histogram('batchItems', this.#batches);
    page.counters('refusals', this.#refusals);
    page.count('clientGone', {}, this.#clientGone);
    page.level('cacheDiskUp', {}, this.#diskUp);
    page.value('cacheDiskBytes', {}, this.#diskBytes);
    page.count('cacheDiskEvictions', {}, this.#diskEvicted);
  }
}
