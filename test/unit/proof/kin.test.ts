import { describe, expect, test } from 'vitest';
import { judgeAnchors } from '../../../src/proof/anchor.ts';
import { isKin, type Origins } from '../../../src/proof/kin.ts';
import { word } from '../../help/snapshot.ts';

const origins: Origins = new Map([
  ['source', []],
  ['copy', ['source']],
  ['copy of copy', ['copy', 'source']],
  ['cousin', ['elsewhere']],
  ['unread', null],
]);

describe('data of one root', () => {
  test.each<[string, string, boolean]>([
    ['source', 'source', true],
    ['source', 'copy', true],
    ['copy', 'source', true],
    ['source', 'copy of copy', true],
    ['copy', 'copy of copy', true],
    ['source', 'cousin', false],
    ['elsewhere', 'cousin', true],
    ['copy', 'cousin', false],
    ['source', 'not kept', false],
    ['source', 'unread', true],
  ])('of %s and %s: %s', (one, other, expected) => expect(isKin(one, other, origins)).toBe(expected));
});

test('where too few nodes are left to ask, nothing is anchored, and the reason names who does not count', () => {
  const hash = word('a');
  const peers = { number: 7, answers: [{ peer: 'c', hash }], quorum: 2, kin: ['b'] };
  const header = { number: 7, hash, stateRoot: word('b'), timestampS: 1 };
  expect(judgeAnchors([header], { checkpoints: [], peers: [peers] })).toEqual({ kind: 'none', why: expect.stringMatching(/^too few independent anchors: only 1 of 1 .*; b does not count/) });
  expect(judgeAnchors([header], { checkpoints: [], peers: [{ ...peers, answers: [], kin: ['b', 'c'] }] })).toEqual({ kind: 'none', why: expect.stringContaining('b, c do not count') });
  const checkpoint = { number: 7, hash, from: 'checkpoint' };
  expect(judgeAnchors([header], { checkpoints: [checkpoint], peers: [peers] })).toMatchObject({ kind: 'anchored', by: 'checkpoint' });
});
