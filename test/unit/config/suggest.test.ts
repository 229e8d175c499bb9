import { expect, test } from 'vitest';
import { editDistance, nearest } from '../../../src/config/suggest.ts';

test.each([
  ['', '', 0],
  ['port', 'port', 0],
  ['prot', 'port', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['ab', '', 2],
])('%j to %j takes %i', (from, to, edits) => {
  expect(editDistance(from, to)).toBe(edits);
  expect(editDistance(to, from)).toBe(edits);
});

test.each([
  ['prot', 'port'],
  ['max_body_bytes', 'maxBodyBytes'],
  ['deadline', 'deadlineMs'],
  ['Engine', 'engine'],
  ['zzzzzz', undefined],
  ['x'.repeat(1000), undefined],
])('%s means %s', (word, meant) =>
  expect(nearest(word, ['host', 'port', 'engine', 'maxBodyBytes', 'deadlineMs'])).toBe(meant),
);

test('with nothing known there is no suggestion', () => expect(nearest('a', [])).toBeUndefined());
