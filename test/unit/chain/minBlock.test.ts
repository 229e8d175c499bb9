import { describe, expect, test } from 'vitest';
import { hasReached, readMinBlock } from '../../../src/chain/minBlock.ts';
import { HandView, hashOf } from '../../help/chainView.ts';

const never = (): boolean => false;

describe('x-tidegate-min-block', () => {
  test.each([
    ['100', { number: 100, hash: '' }],
    [' 0x64 ', { number: 100, hash: '' }],
    [`100:${hashOf(100).toUpperCase().replace('0X', '0x')}`, { number: 100, hash: hashOf(100) }],
  ])('%s is read', (text, expected) => {
    expect(readMinBlock(text)).toEqual(expected);
  });

  test.each(['', 'latest', '-1', '1.5', '0x', '100:', '100:0x12', `100:${hashOf(1)}0`, '99999999999999999'])('%s is refused', (text) => {
    expect(readMinBlock(text)).toBeNull();
  });

  test('a height is reached when the head is there', () => {
    const view = new HandView(100);
    expect(hasReached(view, { number: 100, hash: '' }, never)).toBe(true);
    expect(hasReached(view, { number: 101, hash: '' }, never)).toBe(false);
    view.head = null;
    expect(hasReached(view, { number: 0, hash: '' }, never)).toBe(false);
  });

  test('a hash must be on the branch, unless this view has left that branch itself', () => {
    const view = new HandView(100);
    const seen = { number: 99, hash: hashOf(99, 'b') };
    expect(hasReached(view, { number: 99, hash: hashOf(99) }, never)).toBe(true);
    expect(hasReached(view, seen, never)).toBe(false);
    view.reorg(98, 'b');
    expect(hasReached(view, seen, never)).toBe(true);
    expect(hasReached(view, { number: 99, hash: hashOf(99) }, (hash) => hash === hashOf(99))).toBe(true);
  });

  test('a block that left the window of known hashes counts by its height', () => {
    const view = new HandView(100);
    view.forgetBelow(90);
    expect(hasReached(view, { number: 80, hash: hashOf(80, 'z') }, never)).toBe(true);
  });
});
