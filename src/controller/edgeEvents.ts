import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from '../observe/log.ts';
import { EventStream } from './eventStream.ts';

const RETRY_MIN_MS = 250;
const RETRY_MAX_MS = 10_000;
/** A stream that is silent for longer is opened anew; the gateway gives signs of life more often. */
const SILENCE_MS = 60_000;
/** What is no reason to look at once: it comes with every block. */
const ROUTINE: ReadonlySet<string> = new Set(['head']);

/**
 * Listens to what the gateway tells, to look at the nodes sooner. Only that something happened counts, never what: what
 * is lost or told twice changes nothing, and without the stream the looks go on at their interval.
 */
export class EdgeEvents {
  readonly #url: string;
  readonly #log: Logger;
  readonly #onNews: () => void;
  readonly #stop = new AbortController();
  readonly #stream = new EventStream();
  #running: Promise<void> = Promise.resolve();
  #isOpen = false;

  /** @param onNews something happened: look */
  constructor(url: string, log: Logger, onNews: () => void) {
    this.#url = url;
    this.#log = log;
    this.#onNews = onNews;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let waitMs = RETRY_MIN_MS; !this.#stop.signal.aborted; waitMs = this.#isOpen ? RETRY_MIN_MS : Math.min(RETRY_MAX_MS, 2 * waitMs)) {
      this.#isOpen = false;
      try {
        await this.#listen();
      } catch (error) {
        this.#log.debug({ error: error instanceof Error ? error.message : String(error) }, 'the event stream of the gateway has ended');
      }
      // its end is news too: the gateway may be gone
      if (this.#isOpen && !this.#stop.signal.aborted) this.#onNews();
      await wait(waitMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }

  async #listen(): Promise<void> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), SILENCE_MS);
    try {
      const headers = { accept: 'text/event-stream', ...(this.#stream.lastId === '' ? {} : { 'last-event-id': this.#stream.lastId }) };
      const answer = await fetch(new URL('/api/v1/events', this.#url), { headers, signal: AbortSignal.any([this.#stop.signal, silence.signal]) });
      if (!answer.ok || answer.body === null) {
        await answer.body?.cancel();
        return;
      }
      this.#isOpen = true;
      this.#stream.reset();
      const decoder = new TextDecoder();
      for await (const piece of answer.body) {
        timer.refresh();
        const events = this.#stream.push(decoder.decode(piece as Uint8Array, { stream: true }));
        if (events.some(({ kind }) => !ROUTINE.has(kind))) this.#onNews();
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
