import { describe, expect, it } from 'vitest';
import { PendingPool } from '../../../src/devnet/pool.ts';

const hashes = (list: readonly { hash: string }[]): string[] => list.map(({ hash }) => hash);

describe('a pending pool', () => {
  it('gives what waits in the order of arrival, from any arrival on', () => {
    const pool = new PendingPool();
    for (const name of ['c', 'a', 'b']) expect(pool.add(name, `0x${name}`)).toBe(true);
    expect(hashes(pool.after(0))).toEqual(['c', 'a', 'b']);
    const seen = pool.lastSequence;
    expect(pool.after(seen)).toEqual([]);
    pool.add('d', '0xd');
    expect(hashes(pool.after(seen))).toEqual(['d']);
    expect(hashes(pool.oldest(2))).toEqual(['c', 'a']);
    expect(pool.rawOf('a')).toBe('0xa');
    expect(pool.rawOf('z')).toBeNull();
  });

  it('takes each in once, and not again after it was included', () => {
    const pool = new PendingPool();
    pool.add('a', '0xa');
    expect(pool.add('a', '0xa')).toBe(false);
    pool.include(['a', 'never-seen']);
    expect(pool.size).toBe(0);
    expect(pool.knows('a')).toBe(true);
    expect(pool.add('a', '0xa')).toBe(false);
    expect(pool.add('never-seen', '0x')).toBe(false);
  });

  it('takes back what a voided block had included', () => {
    const pool = new PendingPool();
    pool.include(['a']);
    pool.restore([{ hash: 'a', raw: '0xa' }]);
    expect(hashes(pool.after(0))).toEqual(['a']);
  });

  it('refuses what is over its bounds, until there is room', () => {
    const pool = new PendingPool({ maxTransactions: 2, maxBytes: 10, maxRemembered: 1 });
    expect(pool.add('a', '12345678')).toBe(true);
    expect(pool.add('b', '123')).toBe(false);
    expect(pool.add('b', '12')).toBe(true);
    expect(pool.add('c', '')).toBe(false);
    pool.drop('a');
    expect(pool.add('c', '12345678')).toBe(true);
  });

  it('remembers only so many of those included', () => {
    const pool = new PendingPool({ maxTransactions: 9, maxBytes: 99, maxRemembered: 2 });
    pool.include(['a', 'b', 'c']);
    expect(['a', 'b', 'c'].map((hash) => pool.knows(hash))).toEqual([false, true, true]);
  });
});
