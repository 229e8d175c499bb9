import type { Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Head } from '../chain/head.ts';
import { isRecord } from '../chain/evm/fields.ts';
import { parseJson, question, readAnswer, readHead } from './family.ts';
import { KeptSocket } from './kept.ts';
import type { KeptSocketListener, KeptSocketOptions } from './kept.ts';

/** `readyTimeoutMs` ends with the node's acknowledgement of the subscription. */
export type HeadSocketOptions = KeptSocketOptions;

export interface HeadSocketPorts {
  readonly timers: Timers;
  readonly random: Random;
  /** The chain's block time now; 0 = unknown. Silence over 1.5 of it ends a connection. */
  blockTimeMs(): number;
}

/** What a `HeadSocket` tells. Texts hold no URL and no key. */
export interface HeadListener {
  /** The subscription stands: heads may have been missed before. */
  onUp(): void;
  /** @param header as the node sent it */
  onHead(head: Head, header: unknown): void;
  /** A connection, or a try at one, ended; another follows. */
  onDown(reason: string): void;
  /** The node said something that is no notice of a head; it was left out. */
  onMalformed(detail: string): void;
}

const SUBSCRIBE = question(1, 'eth_subscribe', '["newHeads"]');
const SHORTEST_QUIET_MS = 500;
const LONGEST_QUIET_MS = 15_000;
const UNKNOWN_QUIET_MS = 5_000;

/** How long a connection may be silent before it is pinged, and again before it is given up. */
export function quietMs(blockTimeMs: number): number {
  if (blockTimeMs <= 0) return UNKNOWN_QUIET_MS;
  return Math.min(LONGEST_QUIET_MS, Math.max(SHORTEST_QUIET_MS, blockTimeMs / 2));
}

/**
 * One node's `newHeads` over WebSocket, for ever: it is `live` from the node's acknowledgement to the loss of the connection.
 * A node that answers pings but tells of no block is not this class's business: probes notice it.
 */
export class HeadSocket implements KeptSocketListener {
  private readonly listener: HeadListener;
  private readonly socket: KeptSocket;
  private subscription: string | null = null;

  /** @throws Error naming the fault of URL or headers, never a value */
  constructor(options: HeadSocketOptions, ports: HeadSocketPorts, listener: HeadListener) {
    const { timers, random } = ports;
    this.listener = listener;
    this.socket = new KeptSocket(options, { timers, random, quietMs: () => quietMs(ports.blockTimeMs()) }, this);
  }

  /** True while the subscription stands. */
  get live(): boolean {
    return this.subscription !== null;
  }

  /** Call once. */
  start(): void {
    this.socket.start();
  }

  /** No callback comes after this. */
  close(): void {
    this.subscription = null;
    this.socket.close();
  }

  onOpen(): void {
    this.socket.send(SUBSCRIBE);
  }

  onDown(reason: string): void {
    this.subscription = null;
    this.listener.onDown(reason);
  }

  onBinary(): void {
    this.listener.onMalformed('neither an answer nor a notice');
  }

  onText(text: Buffer): void {
    const message = parseJson(text.toString('utf8'));
    if (isRecord(message) && message.method === 'eth_subscription') {
      this.onNotice(message.params);
      return;
    }
    const answer = readAnswer(message);
    if (answer === null || answer.id !== 1 || this.subscription !== null) this.listener.onMalformed('neither an answer nor a notice');
    else if (answer.kind === 'error') this.socket.lose(`subscription refused: error ${answer.code}`);
    else if (typeof answer.value !== 'string') this.socket.lose('subscription refused: its id is no text');
    else this.onSubscribed(answer.value);
  }

  private onSubscribed(id: string): void {
    this.subscription = id;
    this.socket.ready();
    this.listener.onUp();
  }

  private onNotice(params: unknown): void {
    if (!isRecord(params) || this.subscription === null || params.subscription !== this.subscription) {
      this.listener.onMalformed('a notice of another subscription');
      return;
    }
    const head = readHead(params.result);
    if (typeof head === 'string') {
      this.listener.onMalformed(`new head: ${head}`);
      return;
    }
    this.socket.proved();
    this.listener.onHead(head, params.result);
  }
}
