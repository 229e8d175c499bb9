import { Registry, collectDefaultMetrics } from 'prom-client';
import { ChainMetrics } from './chainMetrics.ts';
import { LABELS } from './metricTable.ts';
import { Page, registerTable } from './page.ts';
import { COUNT_SCALE, CounterSet, LogHistogram } from './series.ts';

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
  readonly #registry = new Registry();
  readonly #chains = new Map<string, ChainMetrics>();
  readonly #refusals = new CounterSet({}, 'kind', LABELS.refusals);
  readonly #batches = new LogHistogram({}, COUNT_SCALE);
  readonly #build: Readonly<Record<string, string>>;
  readonly #fillers: (() => void)[] = [];
  #clientGone = 0;
  #connections = 0;
  #inFlight = 0;
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
    this.#clientGone++;
  }

  /** A client sent a batch of so many entries. */
  onBatch(items: number): void {
    this.#batches.observe(items);
  }

  setConnections(connections: number): void {
    this.#connections = connections;
  }

  setInFlight(calls: number): void {
    this.#inFlight = calls;
  }

  /** The whole exposition in Prometheus text format. */
  text(): Promise<string> {
    for (const fill of this.#fillers) fill();
    this.#page = this.#gather();
    return this.#registry.metrics();
  }

  #gather(): Page {
    const page = new Page();
    page.value('buildInfo', this.#build, 1);
    page.value('clientConnections', {}, this.#connections);
    page.value('inFlight', {}, this.#inFlight);
    page.histogram('batchItems', this.#batches);
    page.counters('refusals', this.#refusals);
    page.value('clientGone', {}, this.#clientGone);
    for (const chain of this.#chains.values()) chain.emit(page);
    return page;
  }
}
