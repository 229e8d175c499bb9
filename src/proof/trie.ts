import type { Keccak } from './fault.ts';
import { rlpList, rlpNumber, rlpString } from './rlp.ts';

/** A key and its value. */
export interface TriePair {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

const EMPTY = Uint8Array.of(0x80);

const nibble = (key: Uint8Array, at: number): number => {
  const byte = key[at >> 1] as number;
  return (at & 1) === 0 ? byte >> 4 : byte & 15;
};

/** Compact form of the nibbles from a place on (yellow paper, appendix C). */
const compact = (key: Uint8Array, [from, to]: readonly [number, number], isLeaf: boolean): Uint8Array => {
  const isOdd = (to - from) % 2 === 1;
  const out = new Uint8Array(((to - from) >> 1) + 1);
  const flag = (isLeaf ? 2 : 0) + (isOdd ? 1 : 0);
  let at = from;
  out[0] = flag << 4;
  if (isOdd) out[0] |= nibble(key, at++);
  for (let i = 1; i < out.length; i++, at += 2) out[i] = (nibble(key, at) << 4) | nibble(key, at + 1);
  return out;
};

const order = (a: TriePair, b: TriePair): number => {
  const length = Math.min(a.key.length, b.key.length);
  for (let i = 0; i < length; i++) {
    const by = (a.key[i] as number) - (b.key[i] as number);
    if (by !== 0) return by;
  }
  return a.key.length - b.key.length;
};

/**
 * Builds a Merkle Patricia trie over ordered keys from left to right (yellow paper, appendix D): a subtree is hashed as soon
 * as its last key is in and leaves only its hash; what is open is the path to the newest key, on the stack.
 */
class StackTrie {
  readonly #keccak: Keccak;
  readonly #pairs: readonly TriePair[];

  constructor(keccak: Keccak, pairs: readonly TriePair[]) {
    this.#keccak = keccak;
    this.#pairs = pairs;
  }

  root(): Uint8Array {
    return this.#keccak(this.#pairs.length === 0 ? EMPTY : this.#node(0, this.#pairs.length, 0));
  }

  #pair(at: number): TriePair {
    return this.#pairs[at] as TriePair;
  }

  /** How a node is named in its parent: as it is below 32 bytes, else by its hash. */
  #reference(node: Uint8Array): Uint8Array {
    return node.length < 32 ? node : rlpString(this.#keccak(node));
  }

  /** Node over the pairs of a range, which agree in their first nibbles. */
  #node(from: number, to: number, depth: number): Uint8Array {
    const { key, value } = this.#pair(from);
    if (to - from === 1) return rlpList([rlpString(compact(key, [depth, 2 * key.length], true)), rlpString(value)]);
    const last = this.#pair(to - 1).key;
    const most = 2 * Math.min(key.length, last.length);
    let shared = depth;
    while (shared < most && nibble(key, shared) === nibble(last, shared)) shared++;
    const branch = this.#branch(from, to, shared);
    return shared === depth ? branch : rlpList([rlpString(compact(key, [depth, shared], false)), this.#reference(branch)]);
  }

  #branch(from: number, to: number, depth: number): Uint8Array {
    const slots: Uint8Array[] = new Array(17).fill(EMPTY);
    let at = from;
    const first = this.#pair(from);
    if (2 * first.key.length === depth) {
      slots[16] = rlpString(first.value);
      at++;
    }
    while (at < to) {
      const slot = nibble(this.#pair(at).key, depth);
      let end = at + 1;
      while (end < to && nibble(this.#pair(end).key, depth) === slot) end++;
      slots[slot] = this.#reference(this.#node(at, end, depth + 1));
      at = end;
    }
    return rlpList(slots);
  }
}

/** Root of a trie; of equal keys none may occur twice. */
export function trieRoot(keccak: Keccak, pairs: readonly TriePair[]): Uint8Array {
  return new StackTrie(keccak, pairs.toSorted(order)).root();
}

/** Root of a list as blocks commit to it: keys are the RLP of the index. Its order is known without sorting. */
export function listRoot(keccak: Keccak, values: readonly Uint8Array[]): Uint8Array {
  const pair = (index: number): TriePair => ({ key: rlpNumber(index), value: values[index] as Uint8Array });
  const pairs: TriePair[] = [];
  // By bytes: 1 to 127, then 0 (0x80), then the rest.
  for (let i = 1; i < values.length && i < 128; i++) pairs.push(pair(i));
  if (values.length > 0) pairs.push(pair(0));
  for (let i = 128; i < values.length; i++) pairs.push(pair(i));
  return new StackTrie(keccak, pairs).root();
}
