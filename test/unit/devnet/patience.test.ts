import { describe, expect, it } from 'vitest';
import { nextBaseFee } from '../../../src/devnet/fee.ts';
import { Patience } from '../../../src/devnet/patience.ts';

describe('patience with a node that diverges', () => {
  it('resets at the second block of changed state, and gives up when that did not help', () => {
    const patience = new Patience();
    expect(patience.differed(7, 'state')).toBe('retry');
    expect(patience.differed(7, 'state')).toBe('reset');
    for (let number = 1; number < 7; number++) patience.matched(number);
    expect(patience.differed(7, 'state')).toBe('retry');
    expect(patience.differed(7, 'state')).toBe('giveUp');
  });

  it('begins again once the block came out right', () => {
    const patience = new Patience();
    patience.differed(7, 'state');
    patience.differed(7, 'state');
    patience.matched(7);
    expect([patience.differed(8, 'state'), patience.differed(8, 'state')]).toEqual(['retry', 'reset']);
  });

  it('bears much more with transactions that cross the block', () => {
    const patience = new Patience();
    const verdicts = Array.from({ length: 50 }, () => patience.differed(7, 'transactions'));
    expect(verdicts.slice(0, 49).every((verdict) => verdict === 'retry')).toBe(true);
    expect(verdicts[49]).toBe('reset');
  });

  it('bears any number of rollbacks with as many good blocks, not a hundred in a row', () => {
    const patience = new Patience();
    for (let number = 1; number <= 500; number++) {
      expect(patience.repaired()).toBe('retry');
      patience.matched(number);
    }
    const row = Array.from({ length: 100 }, () => patience.repaired());
    expect(row.indexOf('reset')).toBe(99);
  });
});

describe('the base fee of the next block', () => {
  const feeAfter = (gasUsed: bigint, baseFeePerGas = 1_000_000_000n): bigint => nextBaseFee({ gasUsed, gasLimit: 30_000_000n, baseFeePerGas });

  it('stays at the target, and moves by an eighth at most', () => {
    expect(feeAfter(15_000_000n)).toBe(1_000_000_000n);
    expect(feeAfter(0n)).toBe(875_000_000n);
    expect(feeAfter(30_000_000n)).toBe(1_125_000_000n);
    expect(feeAfter(20_000_000n)).toBe(1_041_666_666n);
  });

  it('rises by 1 wei at least', () => {
    expect(feeAfter(15_000_001n, 7n)).toBe(8n);
    expect(feeAfter(0n, 7n)).toBe(7n);
  });
});
