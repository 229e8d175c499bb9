import type { SubscriberSocket } from '../../src/subs/member.ts';
import type { Topic } from '../../src/subs/topic.ts';
import type { SimBlock, SimLog } from './subsChain.ts';
import type { VirtualWorld } from './world.ts';

const keyOf = (log: SimLog): string => `${log.blockHash}:${log.logIndex}`;

/** One subscription as its client sees it, and what must hold of it. */
export class Stream {
  readonly topic: Topic;
  /** Trusted head when it began. */
  readonly since: number;
  /** It was told that something is missing. */
  excused = false;
  seen = 0;
  readonly #faults: string[];
  readonly #heads = new Map<number, string>();
  readonly #logs: SimLog[] = [];

  constructor(topic: Topic, since: number, faults: string[]) {
    this.topic = topic;
    this.since = since;
    this.#faults = faults;
  }

  onResult(result: Readonly<Record<string, unknown>>): void {
    this.seen++;
    if (this.excused) return;
    if (this.topic.kind === 'newHeads') this.#onHead(result);
    else this.#onLog(result as unknown as SimLog);
  }

  /** Compares the picture with the chain, when all is quiet. */
  conclude(canonical: ReadonlyMap<number, SimBlock>, tip: number): void {
    if (this.excused) return;
    if (this.topic.kind === 'newHeads') {
      for (let number = this.since + 1; number <= tip; number++) {
        if (this.#heads.get(number) !== canonical.get(number)?.hash) this.#fault(`head ${number} is not the chain's`);
      }
      return;
    }
    const { filter } = this.topic as Extract<Topic, { kind: 'logs' }>;
    const wanted: string[] = [];
    for (let number = this.since + 1; number <= tip; number++) {
      for (const log of canonical.get(number)?.logs ?? []) if (wants(filter, log)) wanted.push(keyOf(log));
    }
    const had = this.#logs.filter((log) => Number(log.blockNumber) > this.since).map(keyOf);
    if (had.join() !== wanted.join()) this.#fault(`logs differ: ${had.length} told, ${wanted.length} on the chain`);
    for (const log of this.#logs) if (canonical.get(Number(log.blockNumber))?.hash !== log.blockHash) this.#fault(`log ${keyOf(log)} is orphaned`);
  }

  #onHead(head: Readonly<Record<string, unknown>>): void {
    const number = Number(head['number']);
    const hash = String(head['hash']);
    if (this.#heads.get(number) === hash) this.#fault(`head ${number} came twice`);
    const below = this.#heads.get(number - 1);
    if (below === undefined && number - 1 > this.since) this.#fault(`head ${number} came before its parent`);
    if (below !== undefined && below !== head['parentHash']) this.#fault(`head ${number} is no child of what came before`);
    for (const old of this.#heads.keys()) if (old >= number) this.#heads.delete(old);
    this.#heads.set(number, hash);
  }

  #onLog(log: SimLog): void {
    const last = this.#logs.at(-1);
    const { filter } = this.topic as Extract<Topic, { kind: 'logs' }>;
    if (!wants(filter, log)) this.#fault(`log ${keyOf(log)} is not wanted`);
    if (log['removed'] === true) {
      if (last === undefined || keyOf(last) !== keyOf(log)) this.#fault(`removed log ${keyOf(log)} is not the newest`);
      this.#logs.pop();
      return;
    }
    if (this.#logs.some((old) => keyOf(old) === keyOf(log))) this.#fault(`log ${keyOf(log)} came twice`);
    const place = (l: SimLog): number => Number(l.blockNumber) * 1000 + Number(l.logIndex);
    if (last !== undefined && place(last) >= place(log)) this.#fault(`log ${keyOf(log)} came out of order`);
    this.#logs.push(log);
  }

  #fault(text: string): void {
    if (this.#faults.length < 20) this.#faults.push(`${this.topic.key.slice(0, 40)} since ${this.since}: ${text}`);
  }
}

function wants(filter: Extract<Topic, { kind: 'logs' }>['filter'], log: SimLog): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.some((address) => address === log.address)) return false;
  for (let place = 0; place < filter.topics.length; place++) {
    const topic = log.topics[place];
    const any = filter.topics[place] ?? [];
    if (topic === undefined || (any.length > 0 && !any.some((one) => one === topic))) return false;
  }
  return true;
}

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
