import { WebSocket } from 'ws';
import { readTopic } from '../../src/subs/topic.ts';
import type { Topic } from '../../src/subs/topic.ts';
import { Stream } from './subsStream.ts';

interface Wished {
  readonly params: readonly unknown[];
  readonly topic: Topic;
}

/** A wish to subscribe, as the client sends it. */
export const wish = (...params: readonly unknown[]): Wished => ({ params, topic: readTopic(JSON.stringify(params), 1000) as Topic });

/** One client with subscriptions that check what they are told. */
export class SubsClient {
  readonly streams: Stream[] = [];
  readonly notices: string[] = [];
  closed: { readonly code: number; readonly reason: string } | null = null;
  onNews: () => void = () => undefined;
  readonly #ws: WebSocket;
  readonly #byId = new Map<string, Stream>();
  readonly #faults: string[];
  readonly #answers = new Map<number, (result: unknown) => void>();
  #lastId = 0;

  private constructor(ws: WebSocket, faults: string[]) {
    this.#ws = ws;
    this.#faults = faults;
    ws.on('message', (data) => this.#onMessage(String(data)));
    ws.on('error', () => undefined);
    ws.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.onNews();
    });
  }

  static async open(url: string, faults: string[]): Promise<SubsClient> {
    const ws = new WebSocket(url, { perMessageDeflate: false });
    const client = new SubsClient(ws, faults);
    await new Promise((resolve, reject) => {
      ws.once('open', resolve);
      ws.once('error', reject);
    });
    return client;
  }

  call(method: string, params: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      this.#answers.set(id, resolve);
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** @param since head at this moment */
  async subscribe({ params, topic }: Wished, since: number): Promise<Stream> {
    const stream = new Stream(topic, since, this.#faults);
    this.streams.push(stream);
    const id = ++this.#lastId;
    await new Promise<void>((resolve) => {
      // known before the next message is read
      this.#answers.set(id, (result) => {
        this.#byId.set(String(result), stream);
        resolve();
      });
      this.#ws.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'eth_subscribe', params }));
    });
    return stream;
  }

  close(): void {
    this.#ws.terminate();
  }

  #onMessage(text: string): void {
    const message = JSON.parse(text) as { id?: number; result?: unknown; error?: unknown; method?: string; params?: { subscription: string; result: Record<string, unknown> } };
    if (message.id !== undefined) {
      this.#answers.get(message.id)?.(message.error ?? message.result);
      this.#answers.delete(message.id);
    } else if (message.method === 'eth_subscription') {
      const stream = this.#byId.get(message.params?.subscription ?? '');
      if (stream === undefined) this.#faults.push('a notice for no subscription');
      else stream.onResult(message.params?.result ?? {});
    } else {
      this.notices.push(text);
      this.#faults.push(`a notice of loss: ${text}`);
    }
    this.onNews();
  }
}
