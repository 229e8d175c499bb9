import { expect, test } from 'vitest';
import { readRangeHint } from '../../../src/chain/logs/limitText.ts';
import { RangeLimits } from '../../../src/chain/logs/limits.ts';
import { evmCatalog } from '../../../src/chain/evm/evmCatalog.ts';
import { classifyError } from '../../../src/chain/errors/classify.ts';

const getLogs = evmCatalog().find('eth_getLogs');

test.each([
  ['eth_getLogs is limited to a 10,000 range', 10_000],
  ['range 1000000 exceeds limit of 10000', 10_000],
  ['You can make eth_getLogs requests with up to a 500 block range. Based on your parameters, this block range should work: [0x0, 0x1f3]', 500],
  ['You can make eth_getLogs requests with up to a 2K block range', 2000],
  ['query exceeds max block range 100000', 100_000],
  ['exceed maximum block range: 5000', 5000],
  ['ranges over 10000 blocks are not supported on freetier', 10_000],
  ['maximum [from, to] blocks distance: 1024', 1024],
  ['block range too large, max is 3000', 3000],
])('"%s" tells of a limit', (message, blocks) => {
  expect(readRangeHint(message)).toEqual({ blocks, firm: true, items: false });
  expect(getLogs && classifyError(-32_602, message, null, getLogs).class).toBe('tooLarge');
});

test.each([
  ['query returned more than 10000 results. Try with this block range [0x100, 0x1ff].', 256],
  ['query exceeds max results 20000, retry with the range 100-199', 100],
  ['block range is too wide', 0],
  ['Log response size exceeded.', 0],
])('"%s" tells what this query matched', (message, blocks) => {
  expect(readRangeHint(message)).toEqual({ blocks, firm: false, items: false });
});

test('a limit on addresses is none on blocks', () => {
  expect(readRangeHint('specify less number of addresses')).toMatchObject({ items: true, blocks: 0 });
});

test('a limit is kept per node, tried anew bit by bit, and lifted by an answer', () => {
  const limits = new RangeLimits();
  limits.onRefused(1, 5000, 'limited to a 100 range', 0);
  expect([limits.of(0, 0), limits.of(1, 0)]).toEqual([Number.POSITIVE_INFINITY, 100]);
  expect(limits.of(1, 3_600_000)).toBe(200);
  limits.onServed(1, 200, 3_600_000);
  expect(limits.of(1, 3_700_000)).toBe(200);
  // the same range again, or no number: half of what was refused, for a shorter time
  limits.onRefused(2, 64, 'block range is too wide', 0);
  limits.onRefused(3, 64, 'query returned more than 10000 results. Try with this block range [0x0, 0x3f].', 0);
  expect([limits.of(2, 0), limits.of(3, 0), limits.of(3, 120_000)]).toEqual([32, 32, 64]);
  // what is known to be smaller stays
  limits.onThrottled(2, 1000, 0);
  expect(limits.of(2, 0)).toBe(32);
  limits.onThrottled(2, 32, 0);
  expect(limits.of(2, 0)).toBe(16);
});

test('a node that lacks old logs is asked for none below, for a while', () => {
  const limits = new RangeLimits();
  limits.onMissing(1, 500, 0);
  limits.onMissing(1, 100, 0);
  expect([limits.has(1, 500, 0), limits.has(1, 501, 0), limits.has(0, 5, 0), limits.has(1, 5, 600_000)]).toEqual([false, true, true, true]);
});
