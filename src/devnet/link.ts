import WebSocket from 'ws';
import { Unreachable } from './rpc.ts';

const MAX_SEEN = 10_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** Hears of every transaction that becomes ready in one node's pool, over one WebSocket. */
export class PoolLink {
  readonly #url: string;
  readonly #onSeen: () => void;
  #socket: WebSocket | null = null;
  #seen: string[] = [];

  /** @param onSeen called after each notice */
  constructor(url: string, onSeen: () => void) {
    this.#url = url;
    this.#onSeen = onSeen;
  }

  /** Connects and subscribes where that is not so yet; true when it had to. @throws Unreachable */
  async ensure(): Promise<boolean> {
    if (this.#socket?.readyState === WebSocket.OPEN) return false;
    this.close();
    const socket = new WebSocket(this.#url, { handshakeTimeout: CONNECT_TIMEOUT_MS, maxPayload: 1 << 20 });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.terminate(), CONNECT_TIMEOUT_MS);
      socket.on('error', () => undefined);
      socket.once('open', () => {
        socket.send(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newPendingTransactions'] }));
      });
      // The first message is the answer to the subscription.
      socket.once('message', () => {
        clearTimeout(timer);
        socket.on('message', (data) => this.#onMessage(String(data)));
        resolve();
      });
      socket.once('close', () => {
        clearTimeout(timer);
        reject(new Unreachable('the WebSocket was refused or closed'));
      });
    });
    return true;
  }

  /** Hashes heard of since the last time, in order. */
  take(): string[] {
    const seen = this.#seen;
    this.#seen = [];
    return seen;
  }

  close(): void {
    this.#socket?.terminate();
    this.#socket = null;
    this.#seen = [];
  }

  #onMessage(text: string): void {
    const hash = /"result":"(0x[0-9a-f]{64})"/.exec(text)?.[1];
    // Over the limit they stay in the node's own pool and come to light with the block that includes them.
    if (hash === undefined || this.#seen.length >= MAX_SEEN) return;
    this.#seen.push(hash);
    this.#onSeen();
  }
}
