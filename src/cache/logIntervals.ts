import { contains, filterKey } from '../chain/logs/filter.ts';
import type { LogFilter } from '../chain/logs/filter.ts';
import { cutPage, mergePages, ownPage, selectLogs } from '../chain/logs/page.ts';
import type { LogPage } from '../chain/logs/page.ts';
import type { BlockSpan } from '../chain/logs/query.ts';
import type { LogPart } from '../chain/logs/work.ts';

/** A stored run of blocks. */
interface Interval extends BlockSpan {
  readonly page: LogPage;
  readonly sizeBytes: number;
}

/** Everything stored of one filter. */
interface Line {
  readonly key: string;
  readonly filter: LogFilter;
  /** Lowest first; no two share a block. */
  intervals: Interval[];
}

/** What is stored of a query, and what is to be asked for; each lowest first. */
export interface LogHit {
  readonly parts: readonly LogPart[];
  readonly gaps: readonly BlockSpan[];
}

export interface IntervalLimits {
  /** Most bytes of everything stored. */
  readonly maxBytes: number;
  /** Most filters of which something is stored. */
  readonly maxFilters: number;
}

/** What a stored run costs beside its logs. */
const OVERHEAD_BYTES = 160;
/** What each log costs beside its bytes: four numbers. */
const LOG_BYTES = 32;
/** Neighbouring runs of at most so many bytes become one, so that a sliding query does not leave a trail of crumbs. */
const JOIN_BYTES = 16 * 1024;

const sizeOf = ({ bytes, starts }: LogPage): number => OVERHEAD_BYTES + bytes.length + LOG_BYTES * starts.length;

/**
 * Logs of blocks that are final, by filter and interval: an overlapping query asks only for the gaps. What a wide filter
 * has brought serves a narrower one. The filter that was used longest ago goes first.
 */
export class LogIntervals {
  /** Bytes of everything stored. */
  sizeBytes = 0;
  readonly #lines = new Map<string, Line>();
  #limits: IntervalLimits;

  constructor(limits: IntervalLimits) {
    this.#limits = limits;
  }

  /** Filters of which something is stored. */
  get size(): number {
    return this.#lines.size;
  }

  setLimits(limits: IntervalLimits): void {
    this.#limits = limits;
    this.#trim();
  }

  /** What is stored of the blocks of `span`, in the narrowest of the filters that have it. */
  find(filter: LogFilter, span: BlockSpan): LogHit {
    const key = filterKey(filter);
    const own = this.#lines.get(key);
    const parts: LogPart[] = [];
    let gaps: readonly BlockSpan[] = [span];
    for (const line of own === undefined ? this.#lines.values() : [own, ...this.#lines.values()]) {
      if (gaps.length === 0) break;
      if (line !== own && (line.key === key || !contains(line.filter, filter))) continue;
      const taken: LogPart[] = [];
      gaps = gaps.flatMap((gap) => fill(gap, line, taken));
      if (taken.length === 0) continue;
      this.#touch(line);
      for (const part of taken) parts.push(line === own ? part : { ...part, page: selectLogs(part.page, filter) });
    }
    return { parts: parts.sort((a, b) => a.from - b.from), gaps };
  }

  /** Stores parts, whose blocks are final; what is there already stays. @param top no block above it is stored */
  put(filter: LogFilter, parts: readonly LogPart[], top: number): void {
    if (top < 0 || this.#limits.maxBytes === 0) return;
    const key = filterKey(filter);
    const line = this.#lines.get(key) ?? { key, filter, intervals: [] };
    this.#touch(line);
    for (const { from, to, page } of parts) {
      const span = { from, to: Math.min(to, top) };
      if (span.to < span.from) continue;
      for (const gap of fill(span, line, [])) this.#add(line, gap, ownPage(cutPage(page, gap)));
    }
    this.#trim();
  }

  /** Blocks from `number` on have changed. @returns blocks that were dropped, over all filters */
  cut(number: number): number {
    let dropped = 0;
    for (const line of this.#lines.values()) {
      const kept: Interval[] = [];
      for (const interval of line.intervals) {
        if (interval.to < number) {
          kept.push(interval);
          continue;
        }
        this.sizeBytes -= interval.sizeBytes;
        dropped += interval.to - Math.max(interval.from, number) + 1;
        if (interval.from < number) kept.push(this.#made({ from: interval.from, to: number - 1 }, interval.page));
      }
      line.intervals = kept;
      if (kept.length === 0) this.#lines.delete(line.key);
    }
    return dropped;
  }

  #made(span: BlockSpan, page: LogPage): Interval {
    const own = ownPage(cutPage(page, span));
    const sizeBytes = sizeOf(own);
    this.sizeBytes += sizeBytes;
    return { ...span, page: own, sizeBytes };
  }

  #add(line: Line, span: BlockSpan, page: LogPage): void {
    const place = line.intervals.findIndex(({ from }) => from > span.from);
    const at = place < 0 ? line.intervals.length : place;
    const left = line.intervals[at - 1];
    const sizeBytes = sizeOf(page);
    if (left !== undefined && left.to + 1 === span.from && left.sizeBytes + sizeBytes <= JOIN_BYTES) {
      const joined = mergePages([left.page, page]);
      if (joined === null) return;
      this.sizeBytes -= left.sizeBytes;
      line.intervals[at - 1] = this.#made({ from: left.from, to: span.to }, joined);
    } else {
      this.sizeBytes += sizeBytes;
      line.intervals.splice(at, 0, { ...span, page, sizeBytes });
    }
  }

  /** Last in turn to go. */
  #touch(line: Line): void {
    this.#lines.delete(line.key);
    this.#lines.set(line.key, line);
  }

  #trim(): void {
    for (const line of this.#lines.values()) {
      if (this.sizeBytes <= this.#limits.maxBytes && this.#lines.size <= this.#limits.maxFilters) return;
      // of the last one left, the lowest blocks go first
      while (line.intervals.length > 0 && (this.#lines.size > 1 || this.sizeBytes > this.#limits.maxBytes)) {
        this.sizeBytes -= (line.intervals.shift() as Interval).sizeBytes;
      }
      if (line.intervals.length === 0) this.#lines.delete(line.key);
    }
  }
}

/** What a line has of `gap` goes to `taken`; @returns what it lacks */
function fill(gap: BlockSpan, line: Line, taken: LogPart[]): BlockSpan[] {
  const missing: BlockSpan[] = [];
  let { from } = gap;
  for (const interval of line.intervals) {
    if (interval.to < from) continue;
    if (interval.from > gap.to) break;
    if (interval.from > from) missing.push({ from, to: interval.from - 1 });
    const part = { from: Math.max(from, interval.from), to: Math.min(gap.to, interval.to) };
    taken.push({ ...part, page: cutPage(interval.page, part) });
    from = part.to + 1;
  }
  if (from <= gap.to) missing.push({ from, to: gap.to });
  return missing;
}
