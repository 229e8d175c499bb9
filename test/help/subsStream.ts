import type { Topic } from '../../src/subs/topic.ts';

/** A log as a client is told it. */
export interface ToldLog {
  readonly [name: string]: unknown;
  readonly address: string;
  readonly topics: readonly string[];
  readonly blockHash: string;
  readonly blockNumber: string;
  readonly logIndex: string;
}

/** A block of the chain that counts in the end. */
export interface CountedBlock {
  readonly hash: string;
  readonly logs: readonly ToldLog[];
}

type LogsFilter = Extract<Topic, { kind: 'logs' }>['filter'];

const keyOf = (log: ToldLog): string => `${log.blockHash}:${log.logIndex}`;
const placeOf = (log: ToldLog): number => Number(log.blockNumber) * 100_000 + Number(log.logIndex);

/** One subscription as its client sees it, and what must hold of it. Knows nothing of how it is served. */
export class Stream {
  readonly topic: Topic;
  /** Head when it began: what is above must be told. */
  readonly since: number;
  /** It was told that something is missing. */
  excused = false;
  seen = 0;
  /** Number of the newest head that was told; -1 = none. */
  top = -1;
  readonly #faults: string[];
  readonly #heads = new Map<number, string>();
  readonly #logs: ToldLog[] = [];

  constructor(topic: Topic, since: number, faults: string[]) {
    this.topic = topic;
    this.since = since;
    this.#faults = faults;
  }

  onResult(result: Readonly<Record<string, unknown>>): void {
    this.seen++;
    if (this.excused) return;
    if (this.topic.kind === 'newHeads') this.#onHead(result);
    else this.#onLog(result as unknown as ToldLog);
  }

  /** How many of the last logs that are in the picture. */
  get logs(): number {
    return this.#logs.length;
  }

  /** Keys of the logs that must be in the picture in the end, in order. */
  wanted(canonical: ReadonlyMap<number, CountedBlock>, tip: number): string[] {
    const keys: string[] = [];
    if (this.topic.kind !== 'logs') return keys;
    const { filter } = this.topic;
    for (let number = this.since + 1; number <= tip; number++) {
      for (const log of canonical.get(number)?.logs ?? []) if (wants(filter, log)) keys.push(keyOf(log));
    }
    return keys;
  }

  /** Compares the picture with the chain, when all is quiet. */
  conclude(canonical: ReadonlyMap<number, CountedBlock>, tip: number): void {
    if (this.excused) return;
    if (this.topic.kind === 'newHeads') {
      for (let number = this.since + 1; number <= tip; number++) {
        if (this.#heads.get(number) !== canonical.get(number)?.hash) this.#fault(`head ${number} is not the chain's`);
      }
      return;
    }
    const wanted = this.wanted(canonical, tip);
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
    this.top = number;
  }

  #onLog(log: ToldLog): void {
    const last = this.#logs.at(-1);
    const { filter } = this.topic as Extract<Topic, { kind: 'logs' }>;
    if (!wants(filter, log)) this.#fault(`log ${keyOf(log)} is not wanted`);
    if (log['removed'] === true) {
      if (last === undefined || keyOf(last) !== keyOf(log)) this.#fault(`removed log ${keyOf(log)} is not the newest`);
      this.#logs.pop();
      return;
    }
    if (this.#logs.some((old) => keyOf(old) === keyOf(log))) this.#fault(`log ${keyOf(log)} came twice`);
    if (last !== undefined && placeOf(last) >= placeOf(log)) this.#fault(`log ${keyOf(log)} came out of order`);
    this.#logs.push(log);
  }

  #fault(text: string): void {
    if (this.#faults.length < 20) this.#faults.push(`${this.topic.key.slice(0, 40)} since ${this.since}: ${text}`);
  }
}

function wants(filter: LogsFilter, log: ToldLog): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.some((address) => address === log.address.toLowerCase())) return false;
  for (let place = 0; place < filter.topics.length; place++) {
    const topic = log.topics[place];
    const any = filter.topics[place] ?? [];
    if (topic === undefined || (any.length > 0 && !any.some((one) => one === topic))) return false;
  }
  return true;
}
