import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CountWindow } from '../../../src/base/window.ts';

describe('CountWindow', () => {
  it('counts kinds side by side and forgets them after the window', () => {
    const window = new CountWindow(1000, 2);
    window.add(0, 0);
    window.add(0, 100);
    window.add(1, 950, 3);
    expect(window.total(0, 999)).toBe(2);
    expect(window.total(1, 999)).toBe(3);
    expect(window.total(0, 1000)).toBe(1);
    expect(window.total(0, 1100)).toBe(0);
    expect(window.total(1, 1899)).toBe(3);
    expect(window.total(1, 1900)).toBe(0);
  });

  it('survives a pause longer than the window and a clock that goes back', () => {
    const window = new CountWindow(1000);
    window.add(0, 5000);
    window.add(0, 4000);
    expect(window.total(0, 5000)).toBe(2);
    window.add(0, 1e9);
    expect(window.total(0, 1e9)).toBe(1);
    window.clear();
    expect(window.total(0, 1e9)).toBe(0);
  });

  it('refuses a window without length', () => {
    expect(() => new CountWindow(0)).toThrow(/windowMs/);
  });

  it('never counts more than came in the window, never less than came in all but its oldest grain', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(400), { maxLength: 60 }), (gaps) => {
        const window = new CountWindow(1000, 1, 10);
        const times: number[] = [];
        let now = 0;
        for (const gap of gaps) {
          now += gap;
          times.push(now);
          window.add(0, now);
          const total = window.total(0, now);
          const within = (ms: number): number => times.filter((t) => t > now - ms).length;
          expect(total).toBeLessThanOrEqual(within(1000));
          expect(total).toBeGreaterThanOrEqual(within(900));
        }
      }),
      { numRuns: 100 },
    );
  });
});
