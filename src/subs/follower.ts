import { Arrivals } from './arrivals.ts';
import type { LossNotice, TopicBatch } from './batch.ts';
import { FilterIndex } from './filters.ts';
import type { BlockHeader } from './header.ts';
import { BlockLine } from './line.ts';
import { LogLine } from './logLine.ts';
import type { ByTopic } from './logLine.ts';
import { BlockSource } from './source.ts';
import type { SourceOptions, SourcePort } from './source.ts';
import type { Topic } from './topic.ts';

export interface FollowerOptions extends Omit<SourceOptions, 'maxHeaders' | 'maxLogs'> {
  /** Blocks that are remembered: the deepest reorg and the longest gap that are made good. */
  readonly windowBlocks: number;
  /** Logs that are kept for a reorg. */
  readonly maxKeptBytes: number;
  /** Tell of a child of the trusted head when the first node does. */
  readonly tipRace: boolean;
}

/** The trusted branch as it is now. */
export interface TrustedBranch {
  readonly head: { readonly number: number; readonly hash: string } | null;
  /** '' = not known. */
  hashAt(number: number): string;
}

export interface FollowerPort extends Omit<SourcePort, 'ready' | 'unsettled'> {
  readonly trusted: TrustedBranch;
  /** To everyone with this topic. */
  deliver(batch: TopicBatch): void;
  lost(notice: LossNotice): void;
  /** A block was told of that was not the head any more. */
  backfilled(kind: 'newHeads' | 'logs', results: number): void;
  /** Whether the node serves calls: the word of another is not raced for. */
  serves(node: number): boolean;
  /** A node told of a block `delayMs` after the first one; -1 = it had told of it before. */
  arrived(node: number, delayMs: number): void;
}

/** Blocks whose bodies are fetched ahead. */
const PREFETCH = 8;
/** Headers kept beyond the window. */
const SPARE_HEADERS = 256;
const ARRIVALS = 256;

/**
 * `newHeads` and `logs` of one chain, exact: the trusted branch is followed block by block, and every subscription of every
 * client is served from that one sequence. A node that dies, stalls or lags takes nothing with it: the next question about
 * the next block goes to another one.
 */
export class ChainFollower {
  readonly #port: FollowerPort;
  readonly #source: BlockSource;
  readonly #heads: BlockLine<true, true>;
  readonly #logs: LogLine;
  readonly #filters = new FilterIndex();
  readonly #arrivals = new Arrivals(ARRIVALS);
  readonly #tipRace: boolean;
  readonly #windowBlocks: number;
  #headsOpen = false;
  #serial = 0;
  #headMs = 0;

  constructor(options: FollowerOptions, port: FollowerPort) {
    this.#port = port;
    this.#tipRace = options.tipRace;
    this.#windowBlocks = options.windowBlocks;
    const kept = { maxHeaders: options.windowBlocks + SPARE_HEADERS, maxLogs: 4 * PREFETCH };
    this.#source = new BlockSource({ ...options, ...kept }, {
      nodesFor: (number) => port.nodesFor(number),
      ask: (token, node, question) => port.ask(token, node, question),
      nowMs: () => port.nowMs(),
      after: (delayMs, run) => port.after(delayMs, run),
      headerHash: (header) => port.headerHash(header),
      ready: () => this.#pump(),
      refused: (node, asked, why) => port.refused(node, asked, why),
      failedOver: (tookMs) => port.failedOver(tookMs),
      unsettled: ({ number }) => port.lost({ kind: 'logs', loss: { kind: 'gap', from: number, to: number } }),
    });
    const line = { windowBlocks: options.windowBlocks, prefetch: PREFETCH };
    this.#heads = new BlockLine(line, {
      header: (hash, number) => this.#source.header(hash, number),
      body: () => true,
      added: (header) => this.#tellHead(header),
      removed: () => undefined,
      lost: (loss) => port.lost({ kind: 'newHeads', loss }),
    });
    this.#logs = new LogLine({ ...line, maxKeptBytes: options.maxKeptBytes }, this.#filters, {
      header: (hash, number) => this.#source.header(hash, number),
      logs: (header) => this.#source.logs(header),
      drop: (hash) => this.#source.drop(hash),
      added: (header, results) => this.#tellLogs(header, results),
      removed: (number, serial, results) => this.#send(results, { number: number - 1, undoes: serial, receivedMs: this.#headMs }),
      lost: (loss) => port.lost({ kind: 'logs', loss }),
    });
  }

  /** Serial of the newest block that was told of: who joins now was told of none up to it. */
  get serial(): number {
    return this.#serial;
  }

  /** Somebody wants this from now on. */
  open(topic: Topic): void {
    if (topic.kind === 'newHeads') {
      if (!this.#headsOpen) this.#start(this.#heads);
      this.#headsOpen = true;
    } else if (topic.kind === 'logs') {
      if (this.#filters.size === 0) this.#start(this.#logs.line);
      this.#filters.add(topic.key, topic.filter);
    }
  }

  /** Nobody wants this any more. */
  close(topic: Topic): void {
    if (topic.kind === 'newHeads') this.#headsOpen = false;
    else if (topic.kind === 'logs') this.#filters.remove(topic.key);
    if (this.#filters.size === 0) this.#logs.clear();
    if (!this.#active) this.#source.clear();
  }

  /** Nothing is asked or told any more. */
  stop(): void {
    this.#headsOpen = false;
    this.#filters.clear();
    this.#logs.clear();
    this.#source.clear();
  }

  /** The trusted head moved. */
  onHead(number: number, hash: string, nowMs: number): void {
    this.#headMs = nowMs;
    if (this.#headsOpen) this.#heads.aim(number, hash);
    if (this.#filters.size > 0) this.#logs.line.aim(number, hash);
  }

  /** A node told of a new block by itself. @param value the header as it came */
  onPushed(node: number, value: unknown, hash: string, nowMs: number): void {
    this.#port.arrived(node, this.#arrivals.onTold(node, hash, nowMs));
    if (!this.#active) return;
    const header = this.#source.offer(value);
    if (header === null || !this.#tipRace || !this.#headsOpen || !this.#port.serves(node)) return;
    if (header.parentHash === this.#port.trusted.head?.hash) this.#heads.race(header, true);
  }

  onAnswer(token: number, value: unknown, nowMs: number): void {
    this.#source.onAnswer(token, value, nowMs);
  }

  onFailure(token: number, nowMs: number): void {
    this.#source.onFailure(token, nowMs);
  }

  get #active(): boolean {
    return this.#headsOpen || this.#filters.size > 0;
  }

  /** A line begins above the trusted head, and knows the branch below it as far as it is known. */
  #start(line: Pick<BlockLine<unknown, unknown>, 'seed'>): void {
    const { head } = this.#port.trusted;
    if (head === null) return line.seed(-1, []);
    const hashes = [head.hash];
    while (hashes.length < this.#windowBlocks) {
      const below = this.#port.trusted.hashAt(head.number - hashes.length);
      if (below === '') break;
      hashes.push(below);
    }
    line.seed(head.number, hashes.reverse());
    // proves early whether the chain's headers can be
    this.#source.header(head.hash, head.number);
  }

  #pump(): void {
    if (this.#headsOpen) this.#heads.pump();
    if (this.#filters.size > 0) this.#logs.line.pump();
  }

  #tellHead(header: BlockHeader): true {
    const { number, hash, raw } = header;
    const trusted = this.#port.trusted.head?.number ?? 0;
    if (number < trusted) this.#port.backfilled('newHeads', 1);
    const receivedMs = this.#arrivals.firstMs(hash, this.#headMs);
    const raced = number > trusted ? { raced: { number, hash, parentHash: header.parentHash } } : {};
    this.#port.deliver({ key: 'newHeads', results: [raw], number, serial: ++this.#serial, undoes: -1, receivedMs, ...raced });
    return true;
  }

  #tellLogs(header: BlockHeader, results: ByTopic): number {
    const serial = ++this.#serial;
    if (header.number < (this.#port.trusted.head?.number ?? 0)) {
      this.#port.backfilled('logs', [...results.values()].reduce((sum, { length }) => sum + length, 0));
    }
    this.#send(results, { number: header.number, undoes: -1, receivedMs: this.#arrivals.firstMs(header.hash, this.#headMs) });
    return serial;
  }

  #send(results: ByTopic, about: Pick<TopicBatch, 'number' | 'undoes' | 'receivedMs'>): void {
    for (const [key, list] of results) this.#port.deliver({ key, results: list, serial: this.#serial, ...about });
  }
}
