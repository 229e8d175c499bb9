import { describe, expect, test } from 'vitest';
import { blockNumberIn, standingOf } from '../../../src/chain/stamp.ts';
import type { StampShape } from '../../../src/chain/stamp.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const view = new HandView(100, 50);
view.reorg(98, 'b');

/** A result in the middle of other bytes that name blocks too. */
function inside(value: unknown) {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const before = '{"number":"0x7","hash":"0x7","blockNumber":"0x7","blockHash":"0x7","result":';
  const bytes = Buffer.from(`${before}${text},"number":"0x7","blockNumber":"0x7","blockHash":"0x7"}`);
  return { bytes, start: before.length, end: before.length + Buffer.byteLength(text) };
}
const standing = (shape: StampShape, value: unknown) => standingOf(shape, inside(value), view);
const hex = (n: number): string => `0x${n.toString(16)}`;
const block = (n: number, branch = 'a', extra: object = {}) => ({ number: hex(n), hash: hashOf(n, branch), parentHash: hashOf(n - 1, branch), ...extra });
const item = (n: number, branch = 'a', extra: object = {}) => ({ blockNumber: hex(n), blockHash: hashOf(n, branch), ...extra });

describe('where a result stands to the trusted branch', () => {
  test.each([
    ['block', block(97), 'on'],
    ['block', block(99, 'b'), 'on'],
    ['block', block(99, 'a'), 'forked'],
    ['block', block(101, 'b'), 'ahead'],
    ['block', null, 'none'],
    ['item', item(99, 'b'), 'on'],
    ['item', item(99, 'a'), 'forked'],
    ['item', item(101), 'ahead'],
    ['item', { hash: hashOf(1), blockNumber: null, blockHash: null }, 'none'],
    ['items', [], 'none'],
    ['items', [item(20), item(99, 'b')], 'on'],
    ['items', [item(20), item(99, 'a')], 'forked'],
    ['items', [{ blockNumber: 99, blockHash: hashOf(99, 'b') }], 'on'],
  ] as const)('%s %j: %s', (shape, value, expected) => {
    expect(standing(shape, value)).toBe(expected);
  });

  test('a block is judged by its own hash, wherever its transactions stand', () => {
    const transactions = [{ hash: hashOf(99, 'b'), blockHash: hashOf(99, 'b'), blockNumber: hex(99) }];
    expect(standing('block', { transactions, ...block(99, 'a') })).not.toBe('none');
    expect(standing('block', { transactions: [{ hash: '0x1' }], ...block(99, 'b') })).toBe('on');
    expect(standing('block', { transactions: [{ hash: '0x1' }], ...block(99, 'a') })).toBe('forked');
  });

  test('white space and letter case do not matter', () => {
    const hash = hashOf(99, 'b').toUpperCase().replace('0X', '0x');
    expect(standing('block', `{ "number" : "0x63" ,\n "hash" : "${hash}" }`)).toBe('on');
    expect(standing('item', `{ "blockNumber" : "0x63" , "blockHash" :\n"${hash}" }`)).toBe('on');
  });

  test('text that only looks like a member is none', () => {
    expect(standing('item', { input: '"blockNumber":"0x63"', note: 'blockNumber' })).toBe('none');
    expect(blockNumberIn('item', inside({ blockNumber: '0x' }))).toBe(-1);
    expect(blockNumberIn('item', inside({ blockNumber: 'soon' }))).toBe(-1);
  });

  test('a height whose hash left the window is not judged', () => {
    const short = new HandView(100, 50);
    short.forgetBelow(90);
    expect(standingOf('block', inside(block(80, 'z')), short)).toBe('unknown');
  });
});
