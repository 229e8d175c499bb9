import type { TimerHandle } from '../base/clock.ts';
import { BloomMaker } from '../chain/evm/bloom.ts';
import { isRecord } from '../chain/evm/fields.ts';
import type { BlockHeader } from './header.ts';
import { readHeader } from './header.ts';
import type { BlockLog } from './logs.ts';
import { logsOfReceipts, readLogs } from './logs.ts';
import { Want } from './want.ts';
import type { Asked, WantKind } from './want.ts';

/** What a source needs of the world. */
export interface SourcePort {
  /** Nodes that may be asked about a block of this height, best first; those known to be below it last or not at all. */
  nodesFor(number: number): readonly number[];
  /** Asks a node; `onAnswer` or `onFailure` follows with the same token, never within this call. */
  ask(token: number, node: number, question: Asked): void;
  nowMs(): number;
  after(delayMs: number, run: () => void): TimerHandle;
  /** The hash that a header's own fields make. */
  headerHash(header: Readonly<Record<string, unknown>>): string;
  /** Something that was waited for is there, or is worth asking for again. */
  ready(): void;
  /** A node's word was not taken. */
  refused(node: number, asked: Asked, why: Refusal): void;
  /** What was asked came `tookMs` after the question, though the node asked first failed or was silent. */
  failedOver(tookMs: number): void;
  /** Logs were taken though some may be missing: nobody could tell better in time. */
  unsettled(header: BlockHeader): void;
}

/** Why an answer was not taken: the node lacks the block, it is not what was asked for, or it does not fit the block. */
export type Refusal = 'absent' | 'malformed' | 'doubtful';

export interface SourceOptions {
  /** Without an answer for this long the next node is asked too. */
  readonly hedgeMs: number;
  /** First and longest wait once every node was asked in vain. */
  readonly restMs: { readonly baseMs: number; readonly maxMs: number };
  /** After this long in doubt the fullest answer is taken. */
  readonly settleMs: number;
  /** Headers that are kept; at least the window of the lines. */
  readonly maxHeaders: number;
  /** Blocks whose logs are kept until they are told of. */
  readonly maxLogs: number;
  /** False = the chain's blooms mean nothing. */
  readonly trustBloom: boolean;
}

/** Addresses and topics whose bits are remembered. */
const MAX_BLOOM_ITEMS = 50_000;

/**
 * Fetches headers and whole logs of blocks by hash, from whichever node has them, until they are right.
 * A header is right when its fields make its hash; where no node has such a header, the chain's headers cannot be proven and
 * are taken as told. Logs are right when they make the header's bloom; else two answers must agree, receipts among them,
 * and miss nothing of it: a node's log index may lag behind its head.
 */
export class BlockSource {
  readonly #options: SourceOptions;
  readonly #port: SourcePort;
  readonly #blooms = new BloomMaker(MAX_BLOOM_ITEMS);
  readonly #headers = new Map<string, BlockHeader>();
  readonly #logs = new Map<string, readonly BlockLog[]>();
  readonly #wants = new Map<string, Want>();
  readonly #asked = new Map<number, Want>();
  #lastToken = 0;
  /** Whether headers of this chain make their own hash; null = not known yet. */
  #provable: boolean | null = null;

  constructor(options: SourceOptions, port: SourcePort) {
    this.#options = options;
    this.#port = port;
  }

  /** The header, or null: then it is asked for, and `ready` tells when to look again. */
  header(hash: string, number: number): BlockHeader | null {
    const known = this.#headers.get(hash);
    // a child that names a parent of another height lied, where headers cannot be proven
    if (known !== undefined) return known.number === number ? known : null;
    this.#want('header', { hash, number }, null);
    return null;
  }

  /** All logs of a block, or null like `header`. */
  logs(header: BlockHeader): readonly BlockLog[] | null {
    const known = this.#logs.get(header.hash);
    if (known !== undefined) return known;
    this.#want('logs', header, header);
    return null;
  }

  /** The logs were told of and are not needed again. */
  drop(hash: string): void {
    this.#logs.delete(hash);
  }

  /** A header that a node sent unasked. Null where it is none or not to be believed. */
  offer(value: unknown): BlockHeader | null {
    const header = readHeader(value, this.#options.trustBloom);
    if (header === null || this.#headers.has(header.hash)) return header;
    // taken as told where none can be proven, but not for more than one block
    if (this.#provable === false) return header;
    if (this.#provable !== true || this.#port.headerHash(value as Record<string, unknown>) !== header.hash) return null;
    this.#storeHeader(header);
    return header;
  }

  /** A node's answer: the parsed result. */
  onAnswer(token: number, value: unknown, nowMs: number): void {
    const want = this.#take(token);
    if (want === null) return;
    const put = want.over(token);
    if (put === null || this.#wants.get(want.key) !== want) return;
    const refusal = put.asked.kind === 'header' ? this.#onHeader(want, value) : this.#onLogs(want, { ...put, value, nowMs });
    if (refusal === null) return;
    this.#port.refused(put.node, put.asked, refusal);
    this.#step(want, nowMs);
  }

  /** A node did not answer, or answered with an error. */
  onFailure(token: number, nowMs: number): void {
    const want = this.#take(token);
    if (want === null) return;
    want.over(token);
    want.failedOver = true;
    this.#step(want, nowMs);
  }

  /** Forgets everything; answers that still come are ignored. */
  clear(): void {
    for (const want of this.#wants.values()) want.timer?.cancel();
    for (const map of [this.#headers, this.#logs, this.#wants, this.#asked]) map.clear();
  }

  #take(token: number): Want | null {
    const want = this.#asked.get(token) ?? null;
    this.#asked.delete(token);
    return want;
  }

  #want(kind: WantKind, block: { readonly hash: string; readonly number: number }, header: BlockHeader | null): void {
    const old = this.#wants.get(`${kind}:${block.hash}`);
    if (old !== undefined) {
      old.wanted = true;
      return;
    }
    const want = new Want(kind, block, header, this.#port.nowMs());
    this.#wants.set(want.key, want);
    trim(this.#wants, this.#options.maxHeaders, (dropped) => dropped.timer?.cancel());
    this.#next(want);
  }

  /** After an answer that was not taken, or none. */
  #step(want: Want, nowMs: number): void {
    if (this.#wants.get(want.key) !== want) return;
    const isLate = want.doubtSinceMs >= 0 && nowMs - want.doubtSinceMs >= this.#options.settleMs;
    const fullest = isLate ? want.fullest() : null;
    if (fullest === null || want.header === null) {
      this.#next(want);
      return;
    }
    this.#port.unsettled(want.header);
    this.#keepLogs(want, fullest);
  }

  /** Asks the next node, or rests when all were asked in vain. */
  #next(want: Want): void {
    want.timer?.cancel();
    const choice = want.choose(this.#port.nodesFor(want.number));
    if (choice !== null) {
      const token = ++this.#lastToken;
      this.#asked.set(token, want);
      want.begin(token, choice);
      want.timer = this.#port.after(this.#options.hedgeMs, () => this.#hedge(want));
      this.#port.ask(token, choice.node, choice.asked);
    } else if (want.fallback !== null && want.pending === 0) {
      this.#provable = false;
      this.#keepHeader(want, want.fallback);
    } else {
      const { baseMs, maxMs } = this.#options.restMs;
      want.timer = this.#port.after(Math.min(maxMs, baseMs * 2 ** Math.min(want.rounds, 30)), () => this.#wake(want));
    }
  }

  #hedge(want: Want): void {
    want.failedOver = true;
    this.#next(want);
  }

  /** Asked for anew only if somebody still wants it. */
  #wake(want: Want): void {
    want.wanted = false;
    this.#port.ready();
    if (this.#wants.get(want.key) !== want) return;
    if (want.wanted) {
      want.rest();
      this.#next(want);
    } else this.#done(want);
  }

  #onHeader(want: Want, value: unknown): Refusal | null {
    if (!isRecord(value)) return value === null ? 'absent' : 'malformed';
    const header = readHeader(value, this.#options.trustBloom);
    if (header === null || header.hash !== want.hash || header.number !== want.number) return 'malformed';
    if (this.#port.headerHash(value) === header.hash) this.#provable = true;
    else if (this.#provable !== false) {
      if (this.#provable === null) want.fallback ??= header;
      return 'doubtful';
    }
    this.#keepHeader(want, header);
    return null;
  }

  #onLogs(want: Want, got: { readonly node: number; readonly asked: Asked; readonly value: unknown; readonly nowMs: number }): Refusal | null {
    const { header } = want;
    if (header === null) return 'malformed';
    const list = got.asked.kind === 'receipts' ? logsOfReceipts(header, got.value) : got.value;
    const answer = list === null ? null : readLogs(header, list, this.#blooms);
    if (answer === null) return got.value === null ? 'absent' : 'malformed';
    if (answer.fit !== 'exact') {
      if (want.doubtSinceMs < 0) want.doubtSinceMs = got.nowMs;
      if (!want.doubt({ answer, node: got.node, isReceipts: got.asked.kind === 'receipts' })) return 'doubtful';
    }
    this.#keepLogs(want, answer.logs);
    return null;
  }

  #keepHeader(want: Want, header: BlockHeader): void {
    this.#came(want);
    this.#storeHeader(header);
    this.#port.ready();
  }

  #storeHeader(header: BlockHeader): void {
    this.#headers.set(header.hash, header);
    trim(this.#headers, this.#options.maxHeaders);
  }

  #keepLogs(want: Want, logs: readonly BlockLog[]): void {
    this.#came(want);
    this.#logs.set(want.hash, logs);
    trim(this.#logs, this.#options.maxLogs);
    this.#port.ready();
  }

  #came(want: Want): void {
    if (want.failedOver) this.#port.failedOver(this.#port.nowMs() - want.startedMs);
    this.#done(want);
  }

  #done(want: Want): void {
    want.timer?.cancel();
    this.#wants.delete(want.key);
  }
}

/** The oldest goes first. */
function trim<T>(map: Map<string, T>, max: number, onDropped: (item: T) => void = () => undefined): void {
  if (map.size <= max) return;
  for (const [key, item] of map) {
    map.delete(key);
    onDropped(item);
    return;
  }
}
