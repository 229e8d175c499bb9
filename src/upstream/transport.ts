import type { Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { HttpUpstream } from './http.ts';
import type { CallClient, CallSink, Exchange } from './port.ts';
import { RpcSocket } from './socket.ts';
import type { RpcSocketOptions } from './socket.ts';

export interface SocketTransportOptions extends RpcSocketOptions {
  /** Connections that are kept open; calls go to the one with the fewest under way. */
  readonly count: number;
  /** How long a connection may be silent before it is pinged, and again before it is given up, ms. */
  readonly pingAfterMs: number;
  /**
   * `ws`: every call goes over the sockets. `auto`: light calls do while a socket takes them; all others go over HTTP, lest a large answer
   * holds up the small ones behind it.
   */
  readonly mode: 'ws' | 'auto';
}

/** What happens on the sockets. Texts hold no URL and no key. */
export interface SocketTransportPorts {
  readonly timers: Timers;
  readonly random: Random;
  onUp(): void;
  onDown(reason: string): void;
  onStray(detail: string): void;
}

/** A node's calls over WebSocket, ids multiplexed on a few connections, with HTTP beside them. */
export class SocketTransport implements CallClient {
  private readonly http: HttpUpstream;
  private readonly auto: boolean;
  private readonly sockets: readonly RpcSocket[];
  private readonly timers: Timers;

  /** @throws Error naming the fault of URL or headers, never a value */
  constructor(options: SocketTransportOptions, http: HttpUpstream, ports: SocketTransportPorts) {
    this.http = http;
    this.auto = options.mode === 'auto';
    this.timers = ports.timers;
    const quietMs = (): number => options.pingAfterMs;
    const listener = {
      onUp: () => ports.onUp(),
      onDown: (reason: string) => ports.onDown(reason),
      onStray: (detail: string) => ports.onStray(detail),
      onNotice: () => ports.onStray('a notice of a subscription that nobody made'),
    };
    this.sockets = Array.from({ length: options.count }, () => new RpcSocket(options, { timers: ports.timers, random: ports.random, quietMs }, listener));
    for (const socket of this.sockets) socket.start();
  }

  call(body: string, sink: CallSink): Exchange {
    if (this.auto && !sink.batchable) return this.http.call(body, sink);
    let best: RpcSocket | null = null;
    for (const socket of this.sockets) {
      if (socket.free && (best === null || socket.inFlight < best.inFlight)) best = socket;
    }
    if (best !== null) return best.call(body, sink);
    // in `ws` a socket refuses the call in its own words
    return this.auto ? this.http.call(body, sink) : (this.sockets[0] as RpcSocket).call(body, sink);
  }

  /** Calls under way may finish within `graceMs`. May be called again with less time. */
  async close(graceMs: number): Promise<void> {
    await Promise.all([this.http.close(graceMs), ...this.sockets.map((socket) => this.closeSocket(socket, graceMs))]);
  }

  private async closeSocket(socket: RpcSocket, graceMs: number): Promise<void> {
    if (graceMs > 0 && socket.inFlight > 0) {
      await new Promise<void>((resolve) => {
        const timer = this.timers.after(graceMs, resolve);
        socket.onIdle = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    socket.close();
  }
}
