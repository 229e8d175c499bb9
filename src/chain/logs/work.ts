import type { LogFilter } from './filter.ts';
import { mergePages } from './page.ts';
import type { LogPage } from './page.ts';
import type { BlockSpan } from './query.ts';

/** One query to a node. */
export interface LogPiece extends BlockSpan {
  readonly filter: LogFilter;
}

/** Logs of some blocks, and of those all that a filter wants. */
export interface LogPart extends BlockSpan {
  readonly page: LogPage;
}

const blocksOf = ({ from, to }: BlockSpan): number => to - from + 1;

/** The piece in two, by blocks, else by addresses, else by alternatives of a topic; null when it is as small as can be. */
function halvesOf(piece: LogPiece, byItems: boolean): readonly [LogPiece, LogPiece] | null {
  const { from, to, filter } = piece;
  const items = itemHalves(filter);
  if (items !== null && (byItems || from === to)) return [{ from, to, filter: items[0] }, { from, to, filter: items[1] }];
  if (from === to) return null;
  const middle = from + Math.floor((to - from) / 2);
  return [{ from, to: middle, filter }, { from: middle + 1, to, filter }];
}

function itemHalves({ addresses, topics }: LogFilter): readonly [LogFilter, LogFilter] | null {
  const halve = (list: readonly string[]) => [list.slice(0, list.length >> 1), list.slice(list.length >> 1)] as const;
  if (addresses.length > 1) {
    const [a, b] = halve(addresses);
    return [{ addresses: a, topics }, { addresses: b, topics }];
  }
  const place = topics.findIndex((any) => any.length > 1);
  if (place < 0) return null;
  const [a, b] = halve(topics[place] as readonly string[]);
  return [{ addresses, topics: topics.with(place, a) }, { addresses, topics: topics.with(place, b) }];
}

/** Blocks of the first query of all where nothing is known. */
const MIN_BLOCKS = 1;

/**
 * The work of one log query over blocks that cannot change: cut into pieces that nodes take, and put together again.
 * Pieces may be finished in any order.
 */
export class LogWork {
  /** Bytes of all logs so far. */
  sizeBytes = 0;
  readonly #targetBytes: number;
  readonly #todo: LogPiece[];
  readonly #under = new Set<LogPiece>();
  readonly #parts: LogPart[] = [];
  #doneBlocks = 0;

  /**
   * @param gaps what is to be asked for, lowest first
   * @param targetBytes size of an answer that further pieces are cut for
   */
  constructor(filter: LogFilter, gaps: readonly BlockSpan[], targetBytes: number) {
    this.#todo = gaps.map(({ from, to }) => ({ from, to, filter }));
    this.#targetBytes = targetBytes;
  }

  get isDone(): boolean {
    return this.#todo.length === 0 && this.#under.size === 0;
  }

  /** The next piece, or null while none is left to begin. @param maxBlocks that some node takes */
  next(maxBlocks: number): LogPiece | null {
    const piece = this.#todo.shift();
    if (piece === undefined) return null;
    const blocks = Math.max(MIN_BLOCKS, Math.min(maxBlocks, this.#fitting()));
    const taken = blocksOf(piece) > blocks ? { ...piece, to: piece.from + blocks - 1 } : piece;
    if (taken !== piece) this.#todo.unshift({ ...piece, from: taken.to + 1 });
    this.#under.add(taken);
    return taken;
  }

  /** A node answered a piece. */
  onPage(piece: LogPiece, page: LogPage, sizeBytes: number): void {
    if (!this.#under.delete(piece)) return;
    this.#parts.push({ from: piece.from, to: piece.to, page });
    this.sizeBytes += sizeBytes;
    this.#doneBlocks += blocksOf(piece);
  }

  /** No node takes the piece as it is. @returns false when it cannot be made smaller */
  onTooLarge(piece: LogPiece, byItems: boolean): boolean {
    const halves = halvesOf(piece, byItems);
    if (halves === null || !this.#under.delete(piece)) return false;
    this.#todo.unshift(...halves);
    return true;
  }

  /** The piece is to be tried again. */
  onFailed(piece: LogPiece): void {
    if (this.#under.delete(piece)) this.#todo.unshift(piece);
  }

  /** Everything, lowest first, each block in one part; null when a log was told twice. */
  parts(): readonly LogPart[] | null {
    const sorted = this.#parts.toSorted((a, b) => a.from - b.from || a.to - b.to);
    const whole: LogPart[] = [];
    for (let at = 0; at < sorted.length; ) {
      const { from } = sorted[at] as LogPart;
      let { to } = sorted[at] as LogPart;
      const pages: LogPage[] = [];
      for (let part = sorted[at]; part !== undefined && part.from <= to; part = sorted[++at]) {
        pages.push(part.page);
        to = Math.max(to, part.to);
      }
      const page = pages.length === 1 ? (pages[0] as LogPage) : mergePages(pages);
      if (page === null) return null;
      whole.push({ from, to, page });
    }
    return whole;
  }

  /** Blocks whose logs make an answer of the wanted size, as far as was seen. */
  #fitting(): number {
    if (this.sizeBytes === 0) return Number.POSITIVE_INFINITY;
    return Math.floor((this.#targetBytes * this.#doneBlocks) / this.sizeBytes);
  }
}

/** Whether parts in order are these blocks, each once. */
export function isWhole(parts: readonly BlockSpan[], { from, to }: BlockSpan): boolean {
  let next = from;
  for (const part of parts) {
    if (part.from !== next || part.to < part.from) return false;
    next = part.to + 1;
  }
  return next === to + 1;
}
