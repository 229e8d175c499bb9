import { WebSocket } from 'ws';
import type { TimerHandle, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import type { Head } from '../chain/head.ts';
import { describeError } from './failure.ts';
import { isRecord } from '../chain/evm/fields.ts';
import { parseJson, question, readAnswer, readHead } from './family.ts';
import { basicAuth, checkHeaders } from './target.ts';

export interface HeadSocketOptions {
  /** ws or wss; may hold credentials and a key. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From the first lookup to the node's acknowledgement of the subscription. */
  readonly readyTimeoutMs: number;
  readonly maxPayloadBytes: number;
  /** First and longest wait before connecting again; doubled each time, then halved to whole at random. */
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
}

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
  onHead(head: Head): void;
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
 * One node's `newHeads` over WebSocket, for ever: waiting -> opening -> live -> (lost) waiting …, until `close`.
 * A node that answers pings but tells of no block is not this class's business: probes notice it.
 */
export class HeadSocket {
  readonly #options: HeadSocketOptions;
  readonly #ports: HeadSocketPorts;
  readonly #listener: HeadListener;
  readonly #url: string;
  readonly #headers: Record<string, string>;
  #socket: WebSocket | null = null;
  #timer: TimerHandle | null = null;
  #subscription: string | null = null;
  #failures = 0;
  #heard = false;
  #pinged = false;
  #closed = false;

  /** @throws Error naming the fault of URL or headers, never a value */
  constructor(options: HeadSocketOptions, ports: HeadSocketPorts, listener: HeadListener) {
    this.#options = options;
    this.#ports = ports;
    this.#listener = listener;
    const url = URL.canParse(options.url) ? new URL(options.url) : null;
    if (url === null) throw new Error('upstream ws: not a URL');
    if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new Error('upstream ws: the scheme must be ws or wss');
    const login = basicAuth(url);
    this.#headers = { ...(login === '' ? {} : { authorization: login }), ...Object.fromEntries(checkHeaders(options.headers)) };
    url.username = '';
    url.password = '';
    url.hash = '';
    this.#url = url.href;
  }

  /** True while the subscription stands. */
  get live(): boolean {
    return this.#subscription !== null;
  }

  /** waiting -> opening. Call once. */
  start(): void {
    if (this.#closed || this.#socket !== null) return;
    const socket = new WebSocket(this.#url, {
      headers: this.#headers,
      maxPayload: this.#options.maxPayloadBytes,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.#socket = socket;
    this.#arm(this.#options.readyTimeoutMs, () => this.#lose('no subscription in time'));
    const mine = (run: () => void): void => {
      if (this.#socket === socket) run();
    };
    socket.on('open', () => mine(() => socket.send(SUBSCRIBE)));
    socket.on('message', (data, isBinary) => mine(() => this.#onMessage(data, isBinary)));
    socket.on('ping', () => mine(() => this.#onSign()));
    socket.on('pong', () => mine(() => this.#onSign()));
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      mine(() => this.#lose(`HTTP status ${response.statusCode ?? 0}`));
    });
    socket.on('error', (error) => mine(() => this.#lose(describeError(error))));
    socket.on('close', (code) => mine(() => this.#lose(`closed by the node (${code})`)));
  }

  /** any -> closed: no callback comes after this. */
  close(): void {
    this.#closed = true;
    this.#drop();
  }

  /** opening or live -> waiting. */
  #lose(reason: string): void {
    this.#drop();
    const { baseMs, maxMs } = this.#options.backoff;
    const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.#failures++, 30));
    this.#arm(fullMs * (0.5 + this.#ports.random() / 2), () => this.start());
    this.#listener.onDown(reason);
  }

  #drop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#subscription = null;
    const socket = this.#socket;
    this.#socket = null;
    socket?.terminate();
  }

  /** opening -> live. */
  #onSubscribed(id: string): void {
    this.#subscription = id;
    this.#pinged = false;
    this.#watch();
    this.#listener.onUp();
  }

  #onSign(): void {
    this.#heard = true;
  }

  /** Looks every quiet time whether the node gave a sign of life. */
  #watch(): void {
    this.#arm(quietMs(this.#ports.blockTimeMs()), () => {
      if (!this.#heard && this.#pinged) {
        this.#lose('silent although pinged');
        return;
      }
      this.#pinged = !this.#heard;
      if (this.#pinged) this.#socket?.ping();
      this.#heard = false;
      this.#watch();
    });
  }

  #arm(delayMs: number, run: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#ports.timers.after(delayMs, run);
  }

  #onMessage(data: unknown, isBinary: boolean): void {
    this.#onSign();
    const message = isBinary || !(data instanceof Buffer) ? undefined : parseJson(data.toString('utf8'));
    if (isRecord(message) && message.method === 'eth_subscription') {
      this.#onNotice(message.params);
      return;
    }
    const answer = readAnswer(message);
    if (answer === null || answer.id !== 1 || this.#subscription !== null) this.#listener.onMalformed('neither an answer nor a notice');
    else if (answer.kind === 'error') this.#lose(`subscription refused: error ${answer.code}`);
    else if (typeof answer.value !== 'string') this.#lose('subscription refused: its id is no text');
    else this.#onSubscribed(answer.value);
  }

  #onNotice(params: unknown): void {
    if (!isRecord(params) || this.#subscription === null || params.subscription !== this.#subscription) {
      this.#listener.onMalformed('a notice of another subscription');
      return;
    }
    const head = readHead(params.result);
    if (typeof head === 'string') {
      this.#listener.onMalformed(`new head: ${head}`);
      return;
    }
    this.#failures = 0;
    this.#listener.onHead(head);
  }
}
