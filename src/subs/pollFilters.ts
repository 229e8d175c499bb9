import type { LossNotice, TopicBatch } from './batch.ts';
import type { Topic } from './topic.ts';

export interface PollOptions {
  /** Most filters, of all clients and of one. */
  readonly max: number;
  readonly maxPerClient: number;
  /** A filter that nobody reads for so long is dropped. */
  readonly idleMs: number;
  /** Most characters of changes that wait for one filter's client; it is dropped beyond. */
  readonly maxHeldBytes: number;
}

/** Why a filter went without its client's wish. `loss`: blocks are missing from its changes. */
export type DropReason = 'idle' | 'overflow' | 'loss';

export interface PollPort {
  /** Somebody wants this from now on; the last one wants it no more. */
  open(topic: Topic): void;
  close(topic: Topic): void;
  /** Serial of the newest batch. */
  serial(): number;
  newId(): string;
  dropped(reason: DropReason): void;
}

/** What a client asked for. */
export interface PollWish {
  readonly topic: Topic;
  readonly client: string;
  /** Logs of other blocks are none of its changes. */
  readonly from: number;
  readonly to: number;
  /** The query that gives all its logs; '' = it is no filter of logs. */
  readonly paramsRaw: string;
}

interface Change {
  readonly raw: string;
  /** Height at which whoever is told of it reads the chain. */
  readonly number: number;
}

interface Filter extends PollWish {
  readonly id: string;
  readonly sinceSerial: number;
  readAtMs: number;
  changes: Change[];
  heldBytes: number;
}

/**
 * Filters that clients poll: what a topic tells is kept for each of them until it is read. One whose changes could not be told
 * whole is dropped, so that its client hears of it.
 */
export class PollFilters {
  readonly #port: PollPort;
  readonly #filters = new Map<string, Filter>();
  readonly #byTopic = new Map<string, Set<Filter>>();
  readonly #byClient = new Map<string, number>();
  #options: PollOptions;

  constructor(options: PollOptions, port: PollPort) {
    this.#options = options;
    this.#port = port;
  }

  get size(): number {
    return this.#filters.size;
  }

  setOptions(options: PollOptions): void {
    this.#options = options;
  }

  /** @returns its id; null when the client, or all together, have as many as they may */
  add(wish: PollWish, nowMs: number): string | null {
    const { topic, client } = wish;
    const held = this.#byClient.get(client) ?? 0;
    if (this.#filters.size >= this.#options.max || held >= this.#options.maxPerClient) return null;
    const same = this.#byTopic.get(topic.key);
    if (same === undefined) this.#port.open(topic);
    const filter: Filter = { ...wish, id: this.#port.newId(), sinceSerial: this.#port.serial(), readAtMs: nowMs, changes: [], heldBytes: 0 };
    this.#filters.set(filter.id, filter);
    this.#byClient.set(client, held + 1);
    if (same === undefined) this.#byTopic.set(topic.key, new Set([filter]));
    else same.add(filter);
    return filter.id;
  }

  /** What changed since the last time, oldest first, as raw JSON; null = there is no such filter. @param head height that clients can read up to */
  changes(id: string, head: number, nowMs: number): readonly string[] | null {
    const filter = this.#read(id, nowMs);
    if (filter === null) return null;
    const tooNew = filter.changes.findIndex(({ number }) => number > head);
    const told = filter.changes.splice(0, tooNew < 0 ? filter.changes.length : tooNew);
    for (const { raw } of told) filter.heldBytes -= raw.length;
    return told.map(({ raw }) => raw);
  }

  /** The query that gives all logs of a filter; null = there is no such filter of logs. */
  queryOf(id: string, nowMs: number): string | null {
    const paramsRaw = this.#read(id, nowMs)?.paramsRaw ?? '';
    return paramsRaw === '' ? null : paramsRaw;
  }

  /** False = there is no such filter. */
  remove(id: string): boolean {
    const filter = this.#filters.get(id);
    if (filter === undefined) return false;
    const { topic, client } = filter;
    this.#filters.delete(id);
    const held = (this.#byClient.get(client) ?? 1) - 1;
    if (held > 0) this.#byClient.set(client, held);
    else this.#byClient.delete(client);
    const same = this.#byTopic.get(topic.key);
    same?.delete(filter);
    if (same?.size === 0) {
      this.#byTopic.delete(topic.key);
      this.#port.close(topic);
    }
    return true;
  }

  /** Takes what one block means for a topic. */
  deliver({ key, results, number, undoes }: TopicBatch): void {
    const filters = [...(this.#byTopic.get(key) ?? [])];
    // of a block a filter tells, and holds, no more than its hash
    const told = filters[0]?.topic.kind === 'newHeads' ? results.map(hashOf) : results;
    for (const filter of filters) {
      // what was told before it was made it has nothing to take back of
      if (undoes >= 0 && undoes <= filter.sinceSerial) continue;
      const height = undoes >= 0 ? number + 1 : number;
      if (height < filter.from || height > filter.to) continue;
      for (const raw of told) {
        filter.changes.push({ raw, number });
        filter.heldBytes += raw.length;
      }
      if (filter.heldBytes > this.#options.maxHeldBytes) this.#drop(filter, 'overflow');
    }
  }

  /** Blocks could not be told of. */
  lost({ kind }: LossNotice): void {
    for (const filter of [...this.#filters.values()]) if (filter.topic.kind === kind) this.#drop(filter, 'loss');
  }

  /** Drops those that nobody reads. */
  expire(nowMs: number): void {
    for (const filter of [...this.#filters.values()]) if (nowMs - filter.readAtMs > this.#options.idleMs) this.#drop(filter, 'idle');
  }

  #read(id: string, nowMs: number): Filter | null {
    const filter = this.#filters.get(id);
    if (filter === undefined) return null;
    filter.readAtMs = nowMs;
    return filter;
  }

  #drop({ id }: Filter, reason: DropReason): void {
    this.remove(id);
    this.#port.dropped(reason);
  }
}

const hashOf = (headerRaw: string): string => JSON.stringify((JSON.parse(headerRaw) as { readonly hash?: unknown }).hash);
