import { Pool } from 'undici';
import { Connector } from './connect.ts';
import { HttpExchange } from './exchange.ts';
import type { ExchangeHost } from './exchange.ts';
import { closingFailure, refusedHere } from './failure.ts';
import type { Exchange, ReplySink, UpstreamClient } from './port.ts';
import { parseTarget } from './target.ts';
import type { UpstreamTarget } from './target.ts';
import type { World } from './world.ts';

export interface HttpUpstreamOptions {
  readonly name: string;
  /** http or https; may hold credentials and a key. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Most connections, and so most calls under way, at once. */
  readonly connections: number;
  /** Most calls that wait for a connection; one more is refused as `transport`, unsent and without blame. */
  readonly maxWaiting: number;
  readonly connectTimeoutMs: number;
  readonly maxResponseBytes: number;
  /** How long an idle connection is kept; shorter than a node's own limit, lest it closes under a call. */
  readonly keepAliveTimeoutMs: number;
}

/**
 * One node over HTTP/1.1 with keep-alive: one call per connection at a time, no pipelining, redirects not followed.
 * Asks for `identity` encoding: between a gateway and its nodes inflating costs more than the bytes.
 * Calls over `connections` wait here, first come first served, so that a cancelled one leaves at once.
 */
export class HttpUpstream implements UpstreamClient {
  readonly name: string;
  readonly #options: HttpUpstreamOptions;
  readonly #world: World;
  readonly #target: UpstreamTarget;
  readonly #connector: Connector;
  readonly #pool: Pool;
  readonly #host: ExchangeHost;
  readonly #waiting = new Set<HttpExchange>();
  #begun = 0;
  #closing: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  /** @throws Error naming the fault of a URL or header, never its value */
  constructor(options: HttpUpstreamOptions, world: World) {
    this.name = options.name;
    this.#options = options;
    this.#world = world;
    this.#target = parseTarget(options.url, options.headers);
    this.#connector = new Connector(options.connectTimeoutMs, world.timers);
    this.#pool = new Pool(this.#target.origin, {
      connections: options.connections,
      connect: this.#connector.connect,
      pipelining: 1,
      // One precise timer per call instead of undici's two coarse ones.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: options.keepAliveTimeoutMs,
      keepAliveMaxTimeout: options.keepAliveTimeoutMs,
    });
    this.#host = {
      clock: world.clock,
      maxResponseBytes: options.maxResponseBytes,
      onFreed: () => this.#onFreed(),
      onLeft: (exchange) => this.#onLeft(exchange),
    };
  }

  /** Calls that wait for a connection. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Sockets that are open or being opened. */
  get openSockets(): number {
    return this.#connector.openSockets;
  }

  send(body: string, timeoutMs: number, sink: ReplySink): Exchange {
    const exchange = new HttpExchange(this.#host, Buffer.from(body, 'latin1'), sink);
    if (this.#closing !== null) {
      queueMicrotask(() => exchange.fail(closingFailure(true)));
      return exchange;
    }
    if (this.#begun >= this.#options.connections && this.#waiting.size >= this.#options.maxWaiting) {
      queueMicrotask(() => exchange.fail(refusedHere('too many calls wait for a connection')));
      return exchange;
    }
    exchange.arm(this.#world.timers.after(timeoutMs, () => exchange.expire()));
    if (this.#begun < this.#options.connections) this.#begin(exchange);
    else this.#waiting.add(exchange);
    return exchange;
  }

  close(graceMs: number): Promise<void> {
    // who cannot wait any longer ends the wait of an earlier call
    if (this.#closing !== null && graceMs <= 0) this.#onIdle?.();
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  #begin(exchange: HttpExchange): void {
    this.#begun++;
    exchange.begin();
    const { path, headers } = this.#target;
    this.#pool.dispatch({ method: 'POST', path, headers: headers as string[], body: exchange.body }, exchange);
  }

  #onFreed(): void {
    this.#begun--;
    if (this.#waiting.size > 0) {
      // Not at once: undici is in the middle of dropping or freeing the connection.
      queueMicrotask(() => this.#beginNext());
    } else if (this.#begun === 0) {
      this.#onIdle?.();
    }
  }

  #beginNext(): void {
    if (this.#begun >= this.#options.connections) return;
    for (const next of this.#waiting) {
      this.#waiting.delete(next);
      this.#begin(next);
      return;
    }
  }

  #onLeft(exchange: HttpExchange): void {
    this.#waiting.delete(exchange);
    if (this.#waiting.size === 0 && this.#begun === 0) this.#onIdle?.();
  }

  async #close(graceMs: number): Promise<void> {
    if (graceMs > 0 && (this.#begun > 0 || this.#waiting.size > 0)) {
      await new Promise<void>((resolve) => {
        const timer = this.#world.timers.after(graceMs, resolve);
        this.#onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    for (const exchange of this.#waiting) exchange.fail(closingFailure(true));
    await this.#pool.destroy();
    this.#connector.destroyAll();
  }
}
