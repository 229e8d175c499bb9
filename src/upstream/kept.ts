import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { TimerHandle, Timers } from '../base/clock.ts';
import type { Random } from '../base/random.ts';
import { describeError } from './failure.ts';
import { basicAuth, checkHeaders } from './target.ts';

export interface KeptSocketOptions {
  /** ws or wss; may hold credentials and a key. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** From the first lookup until the owner says `ready`. */
  readonly readyTimeoutMs: number;
  /** Most bytes of one message of the node; a longer one ends the connection. */
  readonly maxPayloadBytes: number;
  /** First and longest wait before connecting again; doubled each time, then halved to whole at random. */
  readonly backoff: { readonly baseMs: number; readonly maxMs: number };
}

export interface KeptSocketPorts {
  readonly timers: Timers;
  readonly random: Random;
  /** How long a connection may be silent before it is pinged, and again before it is given up, ms. */
  quietMs(): number;
}

/** What a `KeptSocket` tells. Texts hold no URL and no key. */
export interface KeptSocketListener {
  /** Connected: what has to be said first can be said. */
  onOpen(): void;
  /** A whole text message. The bytes are the receiver's to keep. */
  onText(message: Buffer): void;
  /** A message that is no text; it was left out. */
  onBinary(): void;
  /** A connection, or a try at one, ended; another follows. */
  onDown(reason: string): void;
}

const TEXT = { binary: false } as const;

/**
 * One WebSocket to a node, for ever: waiting -> opening -> open -> ready -> (lost) waiting …, until `close`. While it is ready, silence is
 * answered by a ping, and further silence by giving the connection up.
 */
export class KeptSocket {
  private readonly options: KeptSocketOptions;
  private readonly ports: KeptSocketPorts;
  private readonly listener: KeptSocketListener;
  private readonly url: string;
  private readonly headers: Record<string, string>;
  private socket: WebSocket | null = null;
  /** What is under it. */
  private wire: Socket | null = null;
  private isCorked = false;
  private timer: TimerHandle | null = null;
  private failures = 0;
  private heard = false;
  private pinged = false;
  private closed = false;

  /** @throws Error naming the fault of URL or headers, never a value */
  constructor(options: KeptSocketOptions, ports: KeptSocketPorts, listener: KeptSocketListener) {
    this.options = options;
    this.ports = ports;
    this.listener = listener;
    const url = URL.canParse(options.url) ? new URL(options.url) : null;
    if (url === null) throw new Error('upstream ws: not a URL');
    if (url.protocol !== 'ws:' && url.protocol !== 'wss:') throw new Error('upstream ws: the scheme must be ws or wss');
    const login = basicAuth(url);
    this.headers = { ...(login === '' ? {} : { authorization: login }), ...Object.fromEntries(checkHeaders(options.headers)) };
    url.username = '';
    url.password = '';
    url.hash = '';
    this.url = url.href;
  }

  /** Bytes that the node has not taken yet. */
  get unsentBytes(): number {
    return this.socket?.bufferedAmount ?? 0;
  }

  /** waiting -> opening. Call once. */
  start(): void {
    if (this.closed || this.socket !== null) return;
    const socket = new WebSocket(this.url, {
      headers: this.headers,
      maxPayload: this.options.maxPayloadBytes,
      perMessageDeflate: false,
      followRedirects: false,
    });
    this.socket = socket;
    this.arm(this.options.readyTimeoutMs, () => this.lose('not ready in time'));
    const mine = (run: () => void): void => {
      if (this.socket === socket) run();
    };
    socket.on('upgrade', (response) => mine(() => {
      this.wire = response.socket;
    }));
    socket.on('open', () => mine(() => this.listener.onOpen()));
    socket.on('message', (data, isBinary) => {
      if (this.socket === socket) this.onMessage(data, isBinary);
    });
    socket.on('ping', () => mine(() => this.onSign()));
    socket.on('pong', () => mine(() => this.onSign()));
    socket.on('unexpected-response', (request, response) => {
      request.destroy();
      mine(() => this.lose(`HTTP status ${response.statusCode ?? 0}`));
    });
    socket.on('error', (error) => mine(() => this.lose(describeError(error))));
    socket.on('close', (code) => mine(() => this.lose(`closed by the node (${code})`)));
  }

  /** Sends a text message. Only between `onOpen` and `onDown`. @param text latin1: one char per byte of the UTF-8 text */
  send(text: string): void {
    this.cork();
    this.socket?.send(Buffer.from(text, 'latin1'), TEXT);
  }

  /** open -> ready: what had to be said first was answered. Silence is watched from here on. */
  ready(): void {
    this.pinged = false;
    this.watch();
  }

  /** The node does what it is there for: the next try after a loss comes soon. */
  proved(): void {
    this.failures = 0;
  }

  /** opening, open or ready -> waiting. */
  lose(reason: string): void {
    if (this.socket === null) return;
    this.drop();
    const { baseMs, maxMs } = this.options.backoff;
    const fullMs = Math.min(maxMs, baseMs * 2 ** Math.min(this.failures++, 30));
    this.arm(fullMs * (0.5 + this.ports.random() / 2), () => this.start());
    this.listener.onDown(reason);
  }

  /** any -> closed: no callback comes after this. */
  close(): void {
    this.closed = true;
    this.drop();
  }

  private drop(): void {
    this.timer?.cancel();
    this.timer = null;
    const { socket } = this;
    this.socket = null;
    this.wire = null;
    socket?.terminate();
  }

  /** What is sent in one turn of the event loop leaves in one write. */
  private cork(): void {
    const { wire } = this;
    if (wire === null || this.isCorked) return;
    this.isCorked = true;
    wire.cork();
    setImmediate(() => {
      this.isCorked = false;
      wire.uncork();
    });
  }

  private onMessage(data: unknown, isBinary: boolean): void {
    this.onSign();
    if (isBinary || !(data instanceof Buffer)) this.listener.onBinary();
    else this.listener.onText(data);
  }

  private onSign(): void {
    this.heard = true;
  }

  /** Looks every quiet time whether the node gave a sign of life. */
  private watch(): void {
    this.arm(this.ports.quietMs(), () => {
      if (!this.heard && this.pinged) {
        this.lose('silent although pinged');
        return;
      }
      this.pinged = !this.heard;
      if (this.pinged) this.socket?.ping();
      this.heard = false;
      this.watch();
    });
  }

  private arm(delayMs: number, run: () => void): void {
    this.timer?.cancel();
    this.timer = this.ports.timers.after(delayMs, run);
  }
}
