import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../src/snapshot/bytes.ts';
import { leafHash, leavesOf } from '../../../src/snapshot/leaves.ts';
import { rootRecord, treeTop } from '../../../src/snapshot/merkle.ts';
import { sha256 } from '../../help/mainnet.ts';
import { body, file } from '../../help/snapshot.ts';

const leaves = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => sha256(Uint8Array.of(i, i >> 8)));

/** RFC 6962 section 2.1, said in another way: levels from below, an odd last one goes up unchanged. */
const byLevels = (hashes: Uint8Array[]): Uint8Array => {
  if (hashes.length === 1) return hashes[0]!;
  const up: Uint8Array[] = [];
  for (let i = 0; i < hashes.length; i += 2) up.push(hashes[i + 1] === undefined ? hashes[i]! : sha256(Buffer.concat([Uint8Array.of(1), hashes[i]!, hashes[i + 1]!])));
  return byLevels(up);
};

describe('the tree', () => {
  test('is that of RFC 6962 for each count of leaves', () => {
    for (let count = 1; count < 70; count++) expect(toHex(treeTop(sha256, leaves(count)))).toBe(toHex(byLevels(leaves(count))));
  });

  test('can be built by runs of a power of two', () =>
    fc.assert(fc.property(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 7 }), (count, power) => {
      const all = leaves(count);
      const run = 2 ** power;
      const tops = Array.from({ length: Math.ceil(count / run) }, (_, i) => treeTop(sha256, all.slice(i * run, (i + 1) * run)));
      expect(toHex(treeTop(sha256, tops))).toBe(toHex(treeTop(sha256, all)));
    })));

  test('the count is in the root', () => expect(toHex(rootRecord(sha256, 3, leaves(1)[0]!))).not.toBe(toHex(rootRecord(sha256, 4, leaves(1)[0]!))));
});

test('every property of a file is in its leaves', () => {
  const roots = [
    body(),
    body({ files: [file('state.json', 'x')] }),
    body({ files: [file('other.json', 'state.json')] }),
    body({ files: [{ ...file('state.json'), mode: 0o600 }] }),
    body({ files: [{ ...file('state.json'), kind: 'paged' }] }),
    body({ files: [file('state.json'), { ...file('z'), chunks: [], sizeBytes: 0 }] }),
    body({ proof: [file('state.json')] }),
  ].map(({ tree }) => tree.root);
  expect(new Set(roots).size).toBe(roots.length);
});

test('leaves stand in order: data, proof, each file before its chunks', () => {
  const list = leavesOf(body({ files: [file('a'), file('b')], proof: [file('a')] }));
  expect(list.map(({ file: { space, path }, index }) => `${space} ${path} ${index}`)).toEqual(['data a -1', 'data a 0', 'data b -1', 'data b 0', 'proof a -1', 'proof a 0']);
  expect(new Set(list.map((leaf) => toHex(leafHash(sha256, leaf)))).size).toBe(6);
});
