import { expect, test } from 'vitest';
import { LogIntervals } from '../../../src/cache/logIntervals.ts';
import { wants } from '../../../src/chain/logs/filter.ts';
import type { LogFilter } from '../../../src/chain/logs/filter.ts';
import { joinPages, readPage } from '../../../src/chain/logs/page.ts';
import type { LogPage } from '../../../src/chain/logs/page.ts';
import type { BlockSpan } from '../../../src/chain/logs/query.ts';
import type { LogPart } from '../../../src/chain/logs/work.ts';
import { ADDRESSES, LogChain, TOPICS, hex, numbers } from '../../help/logChain.ts';

const chain = new LogChain(200);
const ANY: LogFilter = { addresses: [], topics: [] };
const LARGE = { maxBytes: 10_000_000, maxFilters: 100 };

const logsOf = (filter: LogFilter, { from, to }: BlockSpan) => chain.query({ fromBlock: hex(from), toBlock: hex(to) }).filter(({ address, topics }) => wants(filter, address, topics));

function part(filter: LogFilter, span: BlockSpan): LogPart {
  return { ...span, page: readPage(Buffer.from(JSON.stringify(logsOf(filter, span))), 0, span) as LogPage };
}

const told = (parts: readonly LogPart[]): unknown => JSON.parse(joinPages(parts.map(({ page }) => page), '', '').toString());

test('whatever was stored and asked, stored and missing parts make the whole', () => {
  const next = numbers(11);
  const store = new LogIntervals(LARGE);
  const filters: LogFilter[] = [ANY, { addresses: ADDRESSES.slice(0, 2), topics: [] }, { addresses: ADDRESSES.slice(0, 1), topics: [[TOPICS[1] as string]] }, { addresses: [], topics: [[], [TOPICS[0] as string, TOPICS[2] as string].sort()] }];
  let stored = 0;
  for (let i = 0; i < 400; i++) {
    const filter = filters[next(filters.length)] as LogFilter;
    const from = next(190);
    const span = { from, to: Math.min(200, from + next(30)) };
    const { parts, gaps } = store.find(filter, span);
    const asked = gaps.map((gap) => part(filter, gap));
    expect(told([...parts, ...asked].sort((a, b) => a.from - b.from))).toEqual(logsOf(filter, span));
    stored += parts.length;
    if (next(3) > 0) store.put(filter, asked, 180);
    if (next(60) === 0) store.cut(100 + next(80));
  }
  expect(stored).toBeGreaterThan(200);
});

test('nothing above the final block is stored, and a reorg drops exactly what it changed', () => {
  const store = new LogIntervals(LARGE);
  store.put(ANY, [part(ANY, { from: 10, to: 60 })], 50);
  expect(store.find(ANY, { from: 0, to: 70 }).gaps).toEqual([{ from: 0, to: 9 }, { from: 51, to: 70 }]);
  expect(store.cut(31)).toBe(20);
  expect(store.find(ANY, { from: 10, to: 50 }).gaps).toEqual([{ from: 31, to: 50 }]);
});

test('memory is bounded: the filter used longest ago goes first', () => {
  const [a, b] = ADDRESSES.map((address): LogFilter => ({ addresses: [address], topics: [] })) as [LogFilter, LogFilter];
  const store = new LogIntervals(LARGE);
  store.put(a, [part(a, { from: 0, to: 200 })], 200);
  const { sizeBytes } = store;
  store.put(b, [part(b, { from: 0, to: 200 })], 200);
  store.find(a, { from: 0, to: 1 });
  store.setLimits({ maxBytes: sizeBytes + 10, maxFilters: 100 });
  expect(store.find(a, { from: 0, to: 200 }).gaps).toEqual([]);
  expect(store.find(b, { from: 0, to: 200 }).gaps).toEqual([{ from: 0, to: 200 }]);
  store.setLimits({ maxBytes: 0, maxFilters: 100 });
  expect([store.sizeBytes, store.size]).toEqual([0, 0]);
});
