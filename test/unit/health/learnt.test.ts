import { describe, expect, test } from 'vitest';
import { LEARNT_FOR_MS, LearntLimits } from '../../../src/health/learnt.ts';

describe('LearntLimits', () => {
  test('a method that the node lacks is denied for a while, then asked again', () => {
    const limits = new LearntLimits(null);
    expect(limits.denied).toBeNull();
    limits.onUnsupported(2, 4, 0);
    expect([...(limits.denied ?? [])]).toEqual([0, 0, 1, 0]);
    expect(limits.expire(LEARNT_FOR_MS - 1)).toBe(false);
    expect(limits.expire(LEARNT_FOR_MS)).toBe(true);
    expect(limits.denied).toBeNull();
  });

  test('what the config denies stays denied', () => {
    const configured = Uint8Array.from([1, 0, 0]);
    const limits = new LearntLimits(configured);
    limits.onUnsupported(1, 3, 0);
    expect([...(limits.denied ?? [])]).toEqual([1, 1, 0]);
    limits.expire(LEARNT_FOR_MS);
    expect(limits.denied).toBe(configured);
    expect([...configured]).toEqual([1, 0, 0]);
  });

  test('a refusal that repeats is remembered from the last time', () => {
    const limits = new LearntLimits(null);
    limits.onUnsupported(0, 1, 0);
    limits.onUnsupported(0, 1, 1000);
    expect(limits.expire(LEARNT_FOR_MS)).toBe(false);
  });

  test('pruned state is everything up to the highest block that was missing', () => {
    const limits = new LearntLimits(null);
    limits.onPruned(50, 0);
    limits.onPruned(20, 0);
    expect(limits.lowestState).toBe(51);
    limits.expire(LEARNT_FOR_MS);
    expect(limits.lowestState).toBe(0);
  });
});
