import { isRecord, readHash } from '../chain/evm/fields.ts';
import { parseJson, question, readAnswer } from './family.ts';
import { KeptSocket } from './kept.ts';
import type { KeptSocketListener, KeptSocketOptions, KeptSocketPorts } from './kept.ts';

const SUBSCRIBE = question(1, 'eth_subscribe', '["newPendingTransactions"]');

/** One node's `newPendingTransactions` over a WebSocket of its own. What is missed between two connections is missed. */
export class PendingSocket implements KeptSocketListener {
  private readonly socket: KeptSocket;
  private readonly onHash: (hash: string) => void;
  private subscribed = false;

  /**
   * @param onHash is told each hash, lower case
   * @throws Error naming the fault of URL or headers, never a value
   */
  constructor(options: KeptSocketOptions, ports: KeptSocketPorts, onHash: (hash: string) => void) {
    this.onHash = onHash;
    this.socket = new KeptSocket(options, ports, this);
  }

  /** Call once. */
  start(): void {
    this.socket.start();
  }

  /** Nothing is told after this. */
  close(): void {
    this.subscribed = false;
    this.socket.close();
  }

  onOpen(): void {
    this.socket.send(SUBSCRIBE);
  }

  onDown(): void {
    this.subscribed = false;
  }

  onBinary(): void {}

  onText(text: Buffer): void {
    const message = parseJson(text.toString('utf8'));
    if (isRecord(message) && message.method === 'eth_subscription' && isRecord(message.params)) {
      const hash = readHash(message.params.result);
      if (this.subscribed && hash !== '') this.onHash(hash);
      return;
    }
    const answer = readAnswer(message);
    if (answer?.kind === 'error') this.socket.lose(`subscription refused: error ${answer.code}`);
    else if (answer !== null && !this.subscribed) {
      this.subscribed = true;
      this.socket.ready();
      this.socket.proved();
    }
  }
}
