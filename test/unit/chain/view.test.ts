import { expect, test } from 'vitest';
import { HeadTracker } from '../../../src/chain/heads.ts';
import { HeadsView } from '../../../src/chain/view.ts';
import { headAt } from '../../help/heads.ts';

test('the view moves with the trusted branch, and its epoch with each reorg', () => {
  const heads = new HeadTracker({ quorum: 'auto', maxStep: 64, reorgDepth: 128, blockTimeMs: 2000 });
  const view = new HeadsView(heads);
  let now = 0;
  const say = (...told: [number, number, string][]): void => {
    for (const [node, number, branch] of told) heads.onHead(node, headAt(number, branch, 12), now);
    now += 2000;
    for (const event of heads.tick(now)) view.onEvent(event);
  };
  heads.expect(3);
  expect(view.head).toBeNull();
  for (let n = 10; n <= 13; n++) say([0, n, 'a'], [1, n, 'a'], [2, n, 'b']);
  expect(view.head?.number).toBe(13);
  expect(view.epoch).toBe(0);
  expect(view.hashAt(13)).toBe(headAt(13, 'a', 12).hash);
  expect([0, 1, 2].map((node) => heads.agreedAt(node))).toEqual([13, 13, 11]);
  say([0, 14, 'b'], [1, 14, 'b'], [2, 14, 'b']);
  say([0, 15, 'b'], [1, 15, 'b'], [2, 15, 'b']);
  expect(view.epoch).toBe(1);
  expect(view.hashAt(13)).not.toBe(headAt(13, 'a', 12).hash);
  expect([0, 1, 2].map((node) => heads.agreedAt(node))).toEqual([15, 15, 15]);
  expect(heads.agreedAt(7)).toBe(-1);
});
