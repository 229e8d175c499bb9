import { bloomIsEmpty } from '../chain/evm/bloom.ts';
import type { FilterIndex } from './filters.ts';
import type { BlockHeader } from './header.ts';
import { BlockLine } from './line.ts';
import type { LineOptions, LinePort, Loss } from './line.ts';
import type { BlockLog } from './logs.ts';
import { removedRaw } from './logs.ts';

/** The logs of a block that somebody was told of. */
interface ToldLogs {
  readonly number: number;
  readonly hash: string;
  readonly serial: number;
  logs: readonly BlockLog[];
  readonly sizeBytes: number;
}

/** Results per topic's key. */
export type ByTopic = ReadonlyMap<string, readonly string[]>;

export interface LogLinePort {
  header(hash: string, number: number): BlockHeader | null;
  /** All logs of the block, or null while they are fetched. */
  logs(header: BlockHeader): readonly BlockLog[] | null;
  /** The block's logs are not needed again. */
  drop(hash: string): void;
  /** Tells of a block; @returns its serial */
  added(header: BlockHeader, results: ByTopic): number;
  /** Takes back what was told with that serial. */
  removed(number: number, serial: number, results: ByTopic): void;
  lost(loss: Loss): void;
}

const NONE: readonly BlockLog[] = [];

/** A line of blocks whose logs go to whoever's filter wants them; what was told is kept, so that it can be taken back. */
export class LogLine {
  readonly line: BlockLine<readonly BlockLog[], ToldLogs>;
  readonly #filters: FilterIndex;
  readonly #port: LogLinePort;
  readonly #maxKeptBytes: number;
  readonly #kept: ToldLogs[] = [];
  #keptBytes = 0;

  /** @param options `maxKeptBytes`: logs that are kept for a reorg; older blocks' are given up first */
  constructor(options: LineOptions & { readonly maxKeptBytes: number }, filters: FilterIndex, port: LogLinePort) {
    this.#filters = filters;
    this.#port = port;
    this.#maxKeptBytes = options.maxKeptBytes;
    const linePort: LinePort<readonly BlockLog[], ToldLogs> = {
      header: (hash, number) => port.header(hash, number),
      body: (header) => this.#body(header),
      added: (header, logs) => this.#added(header, logs),
      removed: ({ kept }) => {
        if (kept !== null) this.#removed(kept);
      },
      lost: (loss) => port.lost(loss),
    };
    this.line = new BlockLine(options, linePort);
  }

  /** Forgets what was told. */
  clear(): void {
    this.line.seed(-1, []);
    this.#kept.length = 0;
    this.#keptBytes = 0;
  }

  #body(header: BlockHeader): readonly BlockLog[] | null {
    const { bloom } = header;
    if ((bloom !== null && bloomIsEmpty(bloom)) || !this.#filters.mayMatch(bloom)) return NONE;
    return this.#port.logs(header);
  }

  #added(header: BlockHeader, logs: readonly BlockLog[]): ToldLogs {
    const results = new Map<string, string[]>();
    const told = logs.filter((log) => this.#filters.match(log, (key) => push(results, key, log.raw)));
    const serial = this.#port.added(header, results);
    this.#port.drop(header.hash);
    const sizeBytes = told.reduce((sum, { raw }) => sum + raw.length, 0);
    const kept: ToldLogs = { number: header.number, hash: header.hash, serial, logs: told, sizeBytes };
    if (sizeBytes > 0) this.#keep(kept);
    return kept;
  }

  #removed(kept: ToldLogs): void {
    if (kept.logs.length === 0) {
      // they were given up for want of room
      if (kept.sizeBytes > 0) this.#port.lost({ kind: 'reorg', from: kept.number, to: kept.number });
      return;
    }
    const results = new Map<string, string[]>();
    for (const log of kept.logs.toReversed()) {
      const raw = removedRaw(log);
      this.#filters.match(log, (key) => push(results, key, raw));
    }
    this.#port.removed(kept.number, kept.serial, results);
  }

  #keep(kept: ToldLogs): void {
    this.#kept.push(kept);
    this.#keptBytes += kept.sizeBytes;
    while (this.#keptBytes > this.#maxKeptBytes) {
      const oldest = this.#kept.shift();
      if (oldest === undefined) return;
      oldest.logs = NONE;
      this.#keptBytes -= oldest.sizeBytes;
    }
  }
}

function push(results: Map<string, string[]>, key: string, raw: string): void {
  const list = results.get(key);
  if (list === undefined) results.set(key, [raw]);
  else list.push(raw);
}
