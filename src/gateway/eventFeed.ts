import type { Clock, Timers } from '../base/clock.ts';
import type { AdminSink, AdminStream } from '../edge/adminRoute.ts';

/** Limits of the feed; the names are those of `admin.events`. */
export interface FeedOptions {
  /** Newest events that a reader who comes back can catch up on. */
  readonly kept: number;
  readonly maxReaders: number;
  /** Events that wait for a slow reader; beyond, it is told to look again. */
  readonly maxQueued: number;
  readonly heartbeatMs: number;
}

/** One thing that happened; `data` is plain and holds no secrets. */
export interface FeedEvent {
  readonly kind: 'upstream' | 'head' | 'reorg' | 'chain' | 'panic' | 'roster';
  readonly data: Readonly<Record<string, unknown>>;
}

interface Kept {
  readonly number: number;
  readonly text: string;
}

interface Reader {
  readonly sink: AdminSink;
  readonly waiting: string[];
  full: boolean;
  missed: boolean;
  /** Signs of life that it has not taken, in a row. */
  mute: number;
}

const BEAT = ': here\n\n';
/** A reader that has taken nothing for so many heartbeats is cut off. */
const MAX_MUTE = 4;

/**
 * Tells readers of the admin port what happens, as server-sent events. Nothing waits for a reader: one that is too slow,
 * or comes back too late, gets an event `look` instead of what it missed, and looks at the state for itself.
 */
export class EventFeed {
  readonly #options: FeedOptions;
  readonly #world: { readonly clock: Clock; readonly timers: Timers };
  /** Tells this process from the one before: its numbers begin anew. */
  readonly #epoch: string;
  readonly #kept: Kept[] = [];
  readonly #readers = new Set<Reader>();
  #number = 0;
  #isBeating = false;

  constructor(options: FeedOptions, world: { readonly clock: Clock; readonly timers: Timers }) {
    this.#options = options;
    this.#world = world;
    this.#epoch = world.clock.wallMs().toString(36);
  }

  get isFull(): boolean {
    return this.#readers.size >= this.#options.maxReaders;
  }

  tell({ kind, data }: FeedEvent): void {
    const at = new Date(this.#world.clock.wallMs()).toISOString();
    const number = ++this.#number;
    const text = this.#text(number, kind, { at, ...data });
    this.#kept.push({ number, text });
    if (this.#kept.length > this.#options.kept) this.#kept.shift();
    for (const reader of this.#readers) this.#send(reader, text);
  }

  /** @param lastId what the reader has seen last, '' = nothing */
  stream(lastId: string): AdminStream {
    return {
      open: (sink) => {
        const reader: Reader = { sink, waiting: [], full: false, missed: false, mute: 0 };
        this.#readers.add(reader);
        const missed = this.#since(lastId);
        if (missed === null) this.#send(reader, this.#look(lastId === '' ? 'what was before is not told' : 'what came after the last event is not kept any more'));
        else for (const { text } of missed) this.#send(reader, text);
        this.#beat();
        return { onDrain: () => this.#drain(reader), onClose: () => void this.#readers.delete(reader) };
      },
    };
  }

  #since(lastId: string): readonly Kept[] | null {
    const [epoch, text = ''] = lastId.split('-');
    if (epoch !== this.#epoch || !/^\d{1,15}$/.test(text) || Number(text) > this.#number) return null;
    const first = this.#kept[0]?.number ?? this.#number + 1;
    return Number(text) + 1 < first ? null : this.#kept.filter(({ number }) => number > Number(text));
  }

  #send(reader: Reader, text: string): void {
    if (reader.full) {
      if (reader.waiting.length < this.#options.maxQueued) reader.waiting.push(text);
      else {
        reader.waiting.length = 0;
        reader.missed = true;
      }
      return;
    }
    reader.full = !reader.sink.write(text);
  }

  #drain(reader: Reader): void {
    reader.full = false;
    reader.mute = 0;
    if (reader.missed) {
      reader.missed = false;
      reader.waiting.unshift(this.#look('events came faster than they were read'));
    }
    for (const text of reader.waiting.splice(0)) this.#send(reader, text);
  }

  /** One timer for all readers, while there are any. */
  #beat(): void {
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#world.timers.after(this.#options.heartbeatMs, () => {
      this.#isBeating = false;
      for (const reader of this.#readers) {
        if (!reader.full) reader.full = !reader.sink.write(BEAT);
        else if (++reader.mute >= MAX_MUTE) reader.sink.cut();
      }
      if (this.#readers.size > 0) this.#beat();
    });
  }

  #look(why: string): string {
    return this.#text(this.#number, 'look', { at: new Date(this.#world.clock.wallMs()).toISOString(), why });
  }

  #text(number: number, kind: string, data: object): string {
    return `id: ${this.#epoch}-${number}\nevent: ${kind}\ndata: ${JSON.stringify(data)}\n\n`;
  }
}
