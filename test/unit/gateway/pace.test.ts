import { expect, it } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { RestartPace } from '../../../src/gateway/workers/pace.ts';

const LATEST = (): number => 0.999_999;

it('waits longer after each short life, up to the limit, and is quick again after a long one', () => {
  const pace = new RestartPace({ baseMs: 100, maxMs: 1000 }, LATEST);
  const waits = [0, 50, 100, 400, 499, 499].map((servedMs) => Math.round(pace.next(servedMs)));
  expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  expect([10_000, 500, 499].map((servedMs) => Math.round(pace.next(servedMs)))).toEqual([100, 100, 200]);
});

it('spreads the starts of workers that died together', () => {
  const random = seededRandom(7);
  const waits = Array.from({ length: 200 }, () => new RestartPace({ baseMs: 100, maxMs: 1000 }, random).next(0));
  expect(Math.min(...waits)).toBeGreaterThanOrEqual(50);
  expect(Math.min(...waits)).toBeLessThan(60);
  expect(Math.max(...waits)).toBeGreaterThan(90);
  expect(Math.max(...waits)).toBeLessThanOrEqual(100);
});
