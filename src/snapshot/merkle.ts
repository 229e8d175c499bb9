import { bigEndian, equalBytes, join, type Sha256, utf8 } from './bytes.ts';

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

/** Shows that a leaf hash stands at an index below a root. */
export interface InclusionProof {
  readonly index: number;
  readonly leafCount: number;
  /** Neighbours on the way up, lowest first. */
  readonly path: readonly Uint8Array[];
}

/** Proof for one leaf, by RFC 6962 section 2.1.1. */
export function inclusionProof(sha256: Sha256, leaves: readonly Uint8Array[], index: number): InclusionProof {
  const path = (from: number, to: number): Uint8Array[] => {
    if (to - from === 1) return [];
    const middle = from + split(to - from);
    return index < middle
      ? [...path(from, middle), treeTop(sha256, leaves.slice(middle, to))]
      : [...path(middle, to), treeTop(sha256, leaves.slice(from, middle))];
  };
  if (!(index >= 0 && index < leaves.length)) throw new RangeError(`no leaf ${index} of ${leaves.length}`);
  return { index, leafCount: leaves.length, path: path(0, leaves.length) };
}

/** Whether a proof leads from the leaf hash to the root, by RFC 9162 section 2.1.3.2. */
export function isIncluded(sha256: Sha256, leaf: Uint8Array, proof: InclusionProof, root: Uint8Array): boolean {
  const { index, leafCount, path } = proof;
  if (!(index >= 0 && index < leafCount)) return false;
  let at = index;
  let last = leafCount - 1;
  let hash = leaf;
  for (const neighbour of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      hash = sha256(join(NODE, neighbour, hash));
      while (at % 2 === 0 && at !== 0) {
        at = Math.floor(at / 2);
        last = Math.floor(last / 2);
      }
    } else {
      hash = sha256(join(NODE, hash, neighbour));
    }
    at = Math.floor(at / 2);
    last = Math.floor(last / 2);
  }
  return last === 0 && equalBytes(rootRecord(sha256, leafCount, hash), root);
}
