import WebSocket from 'ws';
import { encodeTransaction, type TransactionJson } from './encode.ts';
import type { PendingPool } from './pool.ts';
import { Unreachable } from './rpc.ts';

const MAX_ASKED = 100;
const CONNECT_TIMEOUT_MS = 2_000;
const SUBSCRIBE_ID = 0;

interface Message {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly params?: { readonly result?: TransactionJson };
}

/**
 * Picks up, over one WebSocket, every transaction that becomes ready in one node's pool, as soon as the node tells of it: what
 * was picked up survives the node.
 */
export class PoolLink {
  readonly #url: string;
  readonly #pool: PendingPool;
  readonly #onPickedUp: () => void;
  readonly #asked = new Map<number, string>();
  #socket: WebSocket | null = null;
  #lastId = SUBSCRIBE_ID;

  /** @param onPickedUp called after each transaction that is new to `pool` */
  constructor(url: string, pool: PendingPool, onPickedUp: () => void) {
    this.#url = url;
    this.#pool = pool;
    this.#onPickedUp = onPickedUp;
  }

  /** Connects and subscribes where that is not so yet; true when it had to. @throws Unreachable */
  async ensure(): Promise<boolean> {
    if (this.#socket?.readyState === WebSocket.OPEN) return false;
    this.close();
    const socket = new WebSocket(this.#url, { handshakeTimeout: CONNECT_TIMEOUT_MS, maxPayload: 4 << 20 });
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.terminate(), CONNECT_TIMEOUT_MS);
      socket.on('error', () => undefined);
      socket.once('open', () => this.#send(SUBSCRIBE_ID, 'eth_subscribe', ['newPendingTransactions', true]));
      // The first message is the answer to the subscription.
      socket.once('message', () => {
        clearTimeout(timer);
        socket.on('message', (data) => this.#onMessage(JSON.parse(String(data)) as Message));
        resolve();
      });
      socket.once('close', () => {
        clearTimeout(timer);
        reject(new Unreachable('the WebSocket was refused or closed'));
      });
    });
    return true;
  }

  close(): void {
    this.#socket?.terminate();
    this.#socket = null;
    this.#asked.clear();
  }

  #send(id: number, method: string, params: readonly unknown[]): void {
    this.#socket?.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  #onMessage(message: Message): void {
    const transaction = message.params?.result;
    if (typeof message.id === 'number') this.#onAnswer(message.id, message.result);
    else if (transaction !== undefined) this.#onNotice(transaction);
  }

  #onNotice(transaction: TransactionJson): void {
    const { hash } = transaction;
    if (typeof hash !== 'string' || this.#pool.knows(hash)) return;
    // Rebuilt from the notice: the node may be gone, or may have lost it to a block of the log, when it is asked.
    const raw = encodeTransaction(transaction);
    if (raw !== null) {
      this.#add(hash, raw);
    } else if (this.#asked.size < MAX_ASKED) {
      // Blobs have to be asked for. Over the limit it comes to light with the block that includes it.
      this.#lastId += 1;
      this.#asked.set(this.#lastId, hash);
      this.#send(this.#lastId, 'eth_getRawTransactionByHash', [hash]);
    }
  }

  #onAnswer(id: number, raw: unknown): void {
    const hash = this.#asked.get(id);
    this.#asked.delete(id);
    if (hash !== undefined && typeof raw === 'string') this.#add(hash, raw);
  }

  #add(hash: string, raw: string): void {
    if (this.#pool.add(hash, raw)) this.#onPickedUp();
  }
}
