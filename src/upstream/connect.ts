import { Socket } from 'node:net';
import { buildConnector, errors } from 'undici';
import type { Timers } from '../base/clock.ts';

/**
 * Opens connections for one upstream: with a precise timeout (undici's own rounds up to about a second), and with a
 * list of the open sockets, so that closing closes all. Every connection resolves the host name anew.
 */
export class Connector {
  readonly #connect: buildConnector.connector;
  readonly #open = new Set<Socket>();

  /** @param connectTimeoutMs from the first lookup to the end of the TLS handshake */
  constructor(connectTimeoutMs: number, timers: Timers) {
    const base = buildConnector({ timeout: 0 });
    this.#connect = (options, callback) => {
      let timedOut = (): void => {};
      const timer = timers.after(connectTimeoutMs, () => timedOut());
      const socket: unknown = base(options, (...args: [null, Socket] | [Error, null]) => {
        timer.cancel();
        callback(...args);
      });
      if (!(socket instanceof Socket)) return;
      timedOut = () => socket.destroy(new errors.ConnectTimeoutError());
      this.#open.add(socket);
      socket.once('close', () => {
        timer.cancel();
        this.#open.delete(socket);
      });
    };
  }

  /** For undici's `connect` option. */
  get connect(): buildConnector.connector {
    return this.#connect;
  }

  /** Sockets that are open or being opened. */
  get openSockets(): number {
    return this.#open.size;
  }

  /** Closes every socket at once; what runs on them fails. */
  destroyAll(): void {
    for (const socket of this.#open) socket.destroy(new errors.ClientDestroyedError());
  }
}
