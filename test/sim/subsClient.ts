import type { SubscriberSocket } from '../../src/subs/member.ts';
import type { Stream } from '../help/subsStream.ts';
import type { VirtualWorld } from './world.ts';

/** A connection whose bytes leave at its own pace; like an engine it drops what is over its limit. */
export class SimSocket implements SubscriberSocket {
  readonly joined = new Set<string>();
  readonly streams = new Map<string, Stream>();
  onDrain: () => void = () => undefined;
  ended = false;
  lossy = false;
  #buffered = 0;
  /** Its pace; may change. */
  bytesPerMs: number;
  readonly #maxBuffered: number;
  readonly #world: VirtualWorld;
  readonly #faults: string[];

  constructor(world: VirtualWorld, pace: { readonly bytesPerMs: number; readonly maxBuffered: number }, faults: string[]) {
    this.#world = world;
    this.bytesPerMs = pace.bytesPerMs;
    this.#maxBuffered = pace.maxBuffered;
    this.#faults = faults;
  }

  send(message: string): void {
    if (this.ended) return;
    if (this.#buffered > this.#maxBuffered) {
      this.#faults.push('the engine dropped a message');
      return;
    }
    this.#buffered += message.length;
    this.#world.after(message.length / this.bytesPerMs, () => {
      this.#buffered -= message.length;
      if (!this.ended) this.onDrain();
    });
    this.#read(message);
  }

  join(topicId: string): void {
    this.joined.add(topicId);
  }

  leave(topicId: string): void {
    this.joined.delete(topicId);
  }

  bufferedBytes(): number {
    return this.#buffered;
  }

  end(): void {
    this.ended = true;
    for (const stream of this.streams.values()) stream.excused = true;
  }

  #read(message: string): void {
    const { method, params } = JSON.parse(message) as { method: string; params: { subscription?: string; result: Record<string, unknown> } };
    if (method !== 'eth_subscription') {
      this.lossy = true;
      for (const [id, stream] of this.streams) if (params.subscription === undefined || params.subscription === id) stream.excused = true;
      return;
    }
    const stream = this.streams.get(params.subscription ?? '');
    if (stream === undefined) this.#faults.push('a notice for no subscription');
    else stream.onResult(params.result);
  }
}
