import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BloomMaker, bloomBits, bloomHas, bloomIsEmpty, readBloom } from '../../../src/chain/evm/bloom.ts';
import { FilterIndex } from '../../../src/subs/filters.ts';
import type { BlockLog } from '../../../src/subs/logs.ts';
import { wants } from '../../../src/chain/logs/filter.ts';
import type { LogFilter } from '../../../src/chain/logs/filter.ts';

const address = (n: number): string => `0x${String(n).repeat(40)}`;
const topic = (n: number): string => `0x${String(n).repeat(64)}`;
const log = (of: number, topics: readonly number[]): BlockLog => ({ index: 0, address: address(of), topics: topics.map(topic), raw: '' });

const some = (make: (n: number) => string) => fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 2 }).map((list) => list.map(make));
const anyFilter: fc.Arbitrary<LogFilter> = fc.record({ addresses: some(address), topics: fc.array(some(topic), { maxLength: 4 }) });
const anyLog = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 })).map(([of, topics]) => log(of, topics));

const matches = (filter: LogFilter, one: BlockLog): boolean => wants(filter, one.address, one.topics);

/** The bloom of one log, made bit by bit. */
function bloomOf(one: BlockLog): Uint8Array {
  const bloom = new Uint8Array(256);
  for (const item of [one.address, ...one.topics]) {
    for (const bit of bloomBits(item)) bloom[255 - (bit >> 3)]! |= 1 << (bit & 7);
  }
  return bloom;
}

describe('filters of logs', () => {
  it('want a log with enough topics, each an alternative of its position', () => {
    const filter: LogFilter = { addresses: [address(1)], topics: [[topic(1), topic(2)], [], [topic(3)]] };
    expect(matches(filter, log(1, [2, 0, 3]))).toBe(true);
    expect(matches(filter, log(1, [2, 0, 3, 0]))).toBe(true);
    expect(matches(filter, log(2, [2, 0, 3]))).toBe(false);
    expect(matches(filter, log(1, [2, 0]))).toBe(false);
    expect(matches(filter, log(1, [3, 0, 3]))).toBe(false);
    expect(matches({ addresses: [], topics: [[], []] }, log(1, [1]))).toBe(false);
    expect(matches({ addresses: [], topics: [] }, log(1, []))).toBe(true);
  });

  it('an index finds just the filters that want a log, and a bloom never hides one', () => {
    fc.assert(fc.property(fc.array(anyFilter, { maxLength: 8 }), anyLog, fc.integer({ min: 0, max: 8 }), (filters, one, removed) => {
      const index = new FilterIndex();
      for (const [i, filter] of filters.entries()) index.add(`f${i}`, filter);
      index.remove(`f${removed}`);
      const wanted = filters.flatMap((filter, i) => (i !== removed && matches(filter, one) ? [`f${i}`] : []));
      const found: string[] = [];
      expect(index.match(one, (key) => found.push(key))).toBe(wanted.length > 0);
      expect(found.sort()).toEqual(wanted.sort());
      if (wanted.length > 0) expect(index.mayMatch(bloomOf(one))).toBe(true);
      expect(index.mayMatch(null)).toBe(index.size > 0);
    }));
  });

  it('a block whose bloom has none of a position holds no match', () => {
    const index = new FilterIndex();
    index.add('f', { addresses: [address(1)], topics: [[topic(2)]] });
    expect(index.mayMatch(bloomOf(log(1, [1])))).toBe(false);
    expect(index.mayMatch(bloomOf(log(2, [2])))).toBe(false);
    expect(index.mayMatch(bloomOf(log(1, [2])))).toBe(true);
    index.clear();
    expect(index.mayMatch(bloomOf(log(1, [2])))).toBe(false);
  });
});

describe('blooms', () => {
  it('have the bits that the yellow paper gives an item', () => {
    // keccak256 of twenty zero bytes begins with 5380c7b7ae81
    expect(bloomBits(`0x${'00'.repeat(20)}`)).toEqual([0x5380 & 2047, 0xc7b7 & 2047, 0xae81 & 2047]);
    expect(bloomHas(bloomOf(log(1, [2])), bloomBits(topic(2)))).toBe(true);
  });

  it('compare with what items make', () => {
    const maker = new BloomMaker(2);
    const bloom = bloomOf(log(1, [2, 3]));
    const all = [address(1), topic(2), topic(3)];
    expect(maker.compare(bloom, all)).toBe('equal');
    expect(maker.compare(bloom, [...all, topic(1)])).toBe('over');
    expect(maker.compare(bloom, all.slice(1))).toBe('under');
    expect(maker.compare(bloom, [])).toBe('under');
    expect(maker.compare(new Uint8Array(256), [])).toBe('equal');
  });

  it('are read from 512 digits', () => {
    expect(readBloom(`0x${'0'.repeat(511)}1`)?.at(-1)).toBe(1);
    expect(bloomIsEmpty(readBloom(`0x${'0'.repeat(512)}`) as Uint8Array)).toBe(true);
    expect(readBloom('0x00')).toBeNull();
    expect(readBloom(null)).toBeNull();
  });

  it('take the memory of their bytes, and no more, for as long as they are kept', () => {
    for (let i = 0; i < 50; i++) expect(readBloom(`0x${'0'.repeat(512)}`)?.buffer.byteLength).toBe(256);
  });
});
