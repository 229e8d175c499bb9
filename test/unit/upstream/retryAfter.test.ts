import { describe, expect, it } from 'vitest';
import { parseRetryAfter } from '../../../src/upstream/retryAfter.ts';

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

describe('parseRetryAfter', () => {
  it.each([
    ['0', 0], ['7', 7000], [' 7 ', 7000], ['1.5', 1500], ['999999', 600_000],
    ['Fri, 02 Jan 2026 03:04:15 GMT', 10_000],
    ['Friday, 02-Jan-26 03:04:15 GMT', 10_000],
    ['Fri Jan  2 03:04:15 2026 GMT', 10_000],
    ['Fri, 02 Jan 2026 03:04:00 GMT', 0],
    ['Fri, 02 Jan 2099 03:04:00 GMT', 600_000],
    ['', 0], ['-1', 0], ['soon', 0], ['1e9', 0], ['2026', 600_000],
  ])('%j is %i ms', (value, want) => {
    expect(parseRetryAfter(value, NOW_MS)).toBe(want);
  });
});
