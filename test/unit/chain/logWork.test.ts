import fc from 'fast-check';
import { expect, test } from 'vitest';
import { contains, readFilter, wants } from '../../../src/chain/logs/filter.ts';
import type { LogFilter } from '../../../src/chain/logs/filter.ts';
import { cutPage, joinPages, readPage } from '../../../src/chain/logs/page.ts';
import type { LogPage } from '../../../src/chain/logs/page.ts';
import { LogWork, isWhole } from '../../../src/chain/logs/work.ts';
import { LogChain, TOPICS, hex, numbers } from '../../help/logChain.ts';

const chain = new LogChain(120);
const ANY: LogFilter = { addresses: [], topics: [] };

const pageOf = (logs: readonly unknown[], span = { from: 0, to: 1000 }): LogPage | null => readPage(Buffer.from(`{"result":${JSON.stringify(logs)}}`), 10, span);
const textOf = (pages: readonly LogPage[]): unknown => JSON.parse(joinPages(pages, '', '').toString());

test('work cut and finished in any order comes together whole and in order', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 40 }), fc.integer(), (limit, seed) => {
    const next = numbers(seed);
    const filter = next(2) === 0 ? ANY : { addresses: [], topics: [[TOPICS[0], TOPICS[2], TOPICS[3]] as string[]] };
    const work = new LogWork(filter, [{ from: 3, to: 40 }, { from: 41, to: 97 }], 2000);
    const under = [];
    while (!work.isDone) {
      const piece = next(3) > 0 ? work.next(limit) : null;
      if (piece !== null) under.push(piece);
      const [one] = under.splice(next(Math.max(1, under.length)), 1);
      if (one === undefined) continue;
      if (next(4) === 0 && work.onTooLarge(one, next(2) === 0)) continue;
      const logs = chain.query({ fromBlock: hex(one.from), toBlock: hex(one.to) }).filter(({ address, topics }) => wants(one.filter, address, topics));
      work.onPage(one, pageOf(logs, one) as LogPage, JSON.stringify(logs).length);
    }
    const parts = work.parts() ?? [];
    expect(isWhole(parts, { from: 3, to: 97 })).toBe(true);
    expect(textOf(parts.map(({ page }) => page))).toEqual(chain.query({ fromBlock: hex(3), toBlock: hex(97) }).filter(({ address, topics }) => wants(filter, address, topics)));
  }), { numRuns: 200, seed: 7 });
});

test('a piece of one block and one address cannot be made smaller', () => {
  const work = new LogWork({ addresses: ['0xa'], topics: [['0xb']] }, [{ from: 5, to: 5 }], 1000);
  const piece = work.next(10);
  expect(piece && work.onTooLarge(piece, false)).toBe(false);
});

test('a list is sorted where a node did not, and refused where a log is told twice or of another block', () => {
  const logs = chain.query({ fromBlock: '0xa', toBlock: '0x14' });
  expect(textOf([pageOf([...logs].reverse()) as LogPage])).toEqual(logs);
  expect(pageOf([...logs, logs[0]])).toBeNull();
  expect(pageOf(logs, { from: 12, to: 20 })).toBeNull();
  expect(pageOf([{ blockNumber: '0x1' }])).toBeNull();
  expect(textOf([cutPage(pageOf(logs) as LogPage, { from: 12, to: 15 })])).toEqual(chain.query({ fromBlock: '0xc', toBlock: '0xf' }));
});

const filters = fc.record({
  addresses: fc.subarray(['a', 'b', 'c']),
  topics: fc.array(fc.subarray(['x', 'y']), { maxLength: 3 }),
});

test('a filter that contains another wants whatever that wants', () => {
  const logs = fc.record({ address: fc.constantFrom('a', 'b', 'c', 'd'), topics: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 }) });
  fc.assert(fc.property(filters, filters, logs, (wide, narrow, { address, topics }) => {
    if (contains(wide, narrow) && wants(narrow, address, topics)) expect(wants(wide, address, topics)).toBe(true);
  }), { numRuns: 2000, seed: 3 });
  expect(contains(ANY, { addresses: ['a'], topics: [[]] })).toBe(true);
  expect(contains({ addresses: [], topics: [[]] }, ANY)).toBe(false);
});

test('a malformed filter is refused with its place', () => {
  const message = (option: Record<string, unknown>): string => (readFilter(option, 'params[0]', 2) as { readonly message: string }).message;
  expect(message({ address: ['0x1'] })).toContain('params[0].address is not a 20-byte address');
  expect(message({ topics: [null, [TOPICS[0], '0x2']] })).toContain('params[0].topics[1][1] is not a 32-byte word');
  expect(message({ topics: [[TOPICS[0], TOPICS[1], TOPICS[2]]] })).toContain('params[0].topics[0] has more than 2 entries');
  expect(message({ topics: [null, null, null, null, null] })).toContain('params[0].topics has more than 4 positions');
});
