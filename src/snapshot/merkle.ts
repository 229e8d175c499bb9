import { bigEndian, join, type Sha256, utf8 } from './bytes.ts';

const NODE = Uint8Array.of(1);
const ROOT = join(Uint8Array.of(2), utf8('tidegate.root.1'));

/** Greatest power of two below n, for n > 1: where RFC 6962 section 2.1 splits n leaves. */
const split = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

/**
 * Top of the tree over leaf hashes, by RFC 6962 section 2.1: an odd last node goes up as it is and is never doubled.
 * Leaves cut into runs of one power of two give the same top when the tops of the runs are taken for leaves, so that runs
 * can be hashed apart and at once.
 * @throws RangeError for no leaves
 */
export function treeTop(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) throw new RangeError('a tree needs a leaf');
  if (leaves.length === 1) return first;
  const at = split(leaves.length);
  return sha256(join(NODE, treeTop(sha256, leaves.slice(0, at)), treeTop(sha256, leaves.slice(at))));
}

/** The root that is signed: binds the number of leaves to the top of their tree. */
export function rootRecord(sha256: Sha256, leafCount: number, top: Uint8Array): Uint8Array {
  return sha256(join(ROOT, bigEndian(leafCount, 8), top));
}

/** Root of a whole tree. */
export function merkleRoot(sha256: Sha256, leaves: readonly Uint8Array[]): Uint8Array {
  return rootRecord(sha256, leaves.length, treeTop(sha256, leaves));
}
