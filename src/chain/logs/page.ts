import { skipValue } from '../../rpc/json.ts';
import { isEven } from '../../rpc/even.ts';
import { wants } from './filter.ts';
import type { LogFilter } from './filter.ts';

/** Logs in order of block and index, as raw JSON. */
export interface LogPage {
  /** Holds them. */
  readonly bytes: Buffer;
  /** Where each begins and ends. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Height and place within its block of each. */
  readonly numbers: readonly number[];
  readonly indexes: readonly number[];
}

export const EMPTY_PAGE: LogPage = { bytes: Buffer.alloc(0), starts: [], ends: [], numbers: [], indexes: [] };

const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const COMMA = 0x2c;
const COLON = 0x3a;
const QUOTE = 0x22;
const SPACE = 0x20;
const MAX_LOG_DEPTH = 16;
const MAX_DIGITS = 14;

const skipSpace = (bytes: Buffer, from: number): number => {
  let at = from;
  while ((bytes[at] ?? 0x7d) <= SPACE) at++;
  return at;
};

/** The hex quantity of the member `key` (with its quotes) of the log within `[start, end)`; -1 = none. Strings of a log hold no quote, so a key is found by its bytes. */
function quantityIn(bytes: Buffer, key: string, [start, end]: readonly [number, number]): number {
  let at = bytes.indexOf(key, start, 'latin1');
  if (at < 0 || at >= end) return -1;
  at = skipSpace(bytes, at + key.length);
  if (bytes[at] !== COLON) return -1;
  at = skipSpace(bytes, at + 1);
  const close = bytes.indexOf(QUOTE, at + 1);
  if (bytes[at] !== QUOTE || close <= at + 3 || close - at - 3 > MAX_DIGITS) return -1;
  const text = bytes.toString('latin1', at + 1, close);
  return /^0[xX][0-9a-fA-F]+$/.test(text) ? Number(text) : -1;
}

interface Row {
  readonly start: number;
  readonly end: number;
  readonly number: number;
  readonly index: number;
}

const before = (a: Row, b: Row): number => a.number - b.number || a.index - b.index;

function pageOf(bytes: Buffer, rows: readonly Row[]): LogPage {
  return {
    bytes,
    starts: rows.map(({ start }) => start),
    ends: rows.map(({ end }) => end),
    numbers: rows.map(({ number }) => number),
    indexes: rows.map(({ index }) => index),
  };
}

/** A page of its own bytes, in this order. */
function packed(parts: readonly (readonly [LogPage, number])[]): LogPage {
  let size = 0;
  for (const [page, at] of parts) size += (page.ends[at] as number) - (page.starts[at] as number) + 1;
  const bytes = Buffer.allocUnsafeSlow(size);
  const rows: Row[] = [];
  let to = 0;
  for (const [page, at] of parts) {
    const start = to;
    to += page.bytes.copy(bytes, to, page.starts[at], page.ends[at]);
    rows.push({ start, end: to, number: page.numbers[at] as number, index: page.indexes[at] as number });
    bytes[to++] = COMMA;
  }
  return pageOf(bytes, rows);
}

const entriesOf = (page: LogPage): (readonly [LogPage, number])[] => page.starts.map((_, at) => [page, at] as const);

/**
 * Reads a node's list of logs within a body that is valid JSON, sorting it where the node did not.
 * @returns null when it is no list of logs, names a log twice, or one outside of `span`
 */
export function readPage(body: Buffer, start: number, span: { readonly from: number; readonly to: number }): LogPage | null {
  if (body[start] !== OPEN_BRACKET) return null;
  const even = isEven(body);
  const rows: Row[] = [];
  let at = skipSpace(body, start + 1);
  let isSorted = true;
  while (body[at] !== CLOSE_BRACKET) {
    if (body[at] !== OPEN_BRACE) return null;
    const end = skipValue(body, at, MAX_LOG_DEPTH, even);
    if (end < 0) return null;
    const row: Row = { start: at, end, number: quantityIn(body, '"blockNumber"', [at, end]), index: quantityIn(body, '"logIndex"', [at, end]) };
    if (row.number < span.from || row.number > span.to || row.index < 0) return null;
    const last = rows.at(-1);
    if (last !== undefined && before(last, row) >= 0) isSorted = false;
    rows.push(row);
    at = skipSpace(body, end);
    if (body[at] === COMMA) at = skipSpace(body, at + 1);
  }
  if (isSorted) return pageOf(body, rows);
  return mergePages([pageOf(body, rows)]);
}

/** Pages of the same blocks as one; null when a log is in them twice. */
export function mergePages(pages: readonly LogPage[]): LogPage | null {
  const rowOf = ([page, at]: readonly [LogPage, number]): Row => ({ start: 0, end: 0, number: page.numbers[at] as number, index: page.indexes[at] as number });
  const all = pages.flatMap(entriesOf).sort((a, b) => before(rowOf(a), rowOf(b)));
  const isTwice = all.some((entry, place) => place > 0 && before(rowOf(all[place - 1] as readonly [LogPage, number]), rowOf(entry)) === 0);
  return isTwice ? null : packed(all);
}

/** First place in a page whose log is of block `number` or a later one. */
function placeOf({ numbers }: LogPage, number: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((numbers[middle] as number) < number) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The logs of these blocks, of the same bytes. */
export function cutPage(page: LogPage, { from, to }: { readonly from: number; readonly to: number }): LogPage {
  const [low, high] = [placeOf(page, from), placeOf(page, to + 1)];
  if (low === 0 && high === page.starts.length) return page;
  const cut = (list: readonly number[]): readonly number[] => list.slice(low, high);
  return { bytes: page.bytes, starts: cut(page.starts), ends: cut(page.ends), numbers: cut(page.numbers), indexes: cut(page.indexes) };
}

/** The same logs with no other bytes kept alive. */
export const ownPage = (page: LogPage): LogPage => packed(entriesOf(page));

/** Those that a filter wants. */
export function selectLogs(page: LogPage, filter: LogFilter): LogPage {
  const isWanted = ([{ bytes, starts, ends }, at]: readonly [LogPage, number]): boolean => {
    const log = JSON.parse(bytes.toString('latin1', starts[at], ends[at])) as { readonly address?: unknown; readonly topics?: unknown };
    const topics = Array.isArray(log.topics) ? log.topics.map((topic) => String(topic).toLowerCase()) : [];
    return wants(filter, String(log.address).toLowerCase(), topics);
  };
  return packed(entriesOf(page).filter(isWanted));
}

/** A page of logs that are known already, in order. */
export function makePage(logs: readonly { readonly raw: string; readonly index: number }[], number: number): LogPage {
  const bytes = Buffer.from(logs.map(({ raw }) => raw).join(), 'utf8');
  let at = 0;
  const rows = logs.map(({ raw, index }): Row => {
    const start = at;
    const end = start + Buffer.byteLength(raw);
    at = end + 1;
    return { start, end, number, index };
  });
  return pageOf(bytes, rows);
}

/** Bytes of its logs, each with a comma. */
export const pageBytes = ({ starts, ends }: LogPage): number => starts.reduce((sum, start, at) => sum + (ends[at] as number) - start + 1, 0);

/** JSON array of all logs of pages that follow each other, with what stands before and behind it. */
export function joinPages(pages: readonly LogPage[], head: string, tail: string): Buffer {
  const size = head.length + tail.length + 2 + pages.reduce((sum, page) => sum + pageBytes(page), 0);
  const joined = Buffer.allocUnsafe(size);
  let at = joined.write(`${head}[`, 'latin1');
  for (const page of pages) {
    for (const [place, start] of page.starts.entries()) {
      at += page.bytes.copy(joined, at, start, page.ends[place]);
      joined[at++] = COMMA;
    }
  }
  if (joined[at - 1] === COMMA) at--;
  at += joined.write(`]${tail}`, at, 'latin1');
  return joined.subarray(0, at);
}
