import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DURATION_PATTERN,
  formatDurationMs,
  formatSizeBytes,
  parseDurationMs,
  parseSizeBytes,
  SIZE_PATTERN,
} from '../../../src/config/units.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
    ['7', 7],
  ])('%s is %i ms', (text, ms) => {
    expect(text).toMatch(DURATION_PATTERN);
    expect(parseDurationMs(text, 1)).toBe(ms);
  });
  test('a number without a unit has the unit of its key', () => expect(parseDurationMs('7', 1000)).toBe(7000));
  test.each(['', 's', '5 s', '-1s', '5S', '1e3ms', '5d'])('%j is none', (text) =>
    expect(text).not.toMatch(DURATION_PATTERN),
  );
  test('reading what was written gives the same', () => {
    fc.assert(fc.property(fc.nat(), (ms) => parseDurationMs(formatDurationMs(ms), 1) === ms));
  });
});

describe('sizes', () => {
  test.each([
    ['64KiB', 65_536],
    ['5MiB', 5_242_880],
    ['0.5GiB', 536_870_912],
    ['12B', 12],
    ['12', 12],
  ])('%s is %i bytes', (text, bytes) => {
    expect(text).toMatch(SIZE_PATTERN);
    expect(parseSizeBytes(text)).toBe(bytes);
  });
  test.each(['64KB', '64kib', '1TiB', 'MiB'])('%j is none', (text) => expect(text).not.toMatch(SIZE_PATTERN));
  test('reading what was written gives the same', () => {
    fc.assert(fc.property(fc.nat(), (bytes) => parseSizeBytes(formatSizeBytes(bytes)) === bytes));
  });
});
