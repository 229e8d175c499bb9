import { expect, test } from 'vitest';
import { plainProgress } from '../../../src/cli/progress.ts';

test('where no terminal is, a line now and then; what is short stays quiet', () => {
  const told: string[] = [];
  let nowMs = 5;
  const show = plainProgress((line) => told.push(line), () => nowMs);
  for (const [ms, line] of [[5, 'a'], [9_000, 'b'], [10_005, 'c'], [10_006, 'd'], [20_004, ''], [20_005, 'e'], [40_000, '']] as const) {
    nowMs = ms;
    show(line);
  }
  expect(told).toEqual(['c', 'e']);
});
