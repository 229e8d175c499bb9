import { type Keccak, wrong } from './fault.ts';
import { sameBytes, toHex } from './hex.ts';
import { type RlpItem, rlpDecode, rlpEncode } from './rlp.ts';

/** Root of a trie without keys: keccak of the RLP of nothing. */
export const EMPTY_ROOT = '0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421';

const EMPTY_NODE = Uint8Array.of(0x80);

const nibblesOf = (bytes: Uint8Array): number[] => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

interface Path {
  readonly nibbles: readonly number[];
  readonly isLeaf: boolean;
}

const pathOf = (item: RlpItem | undefined, field: string): Path => {
  if (!(item instanceof Uint8Array) || item.length === 0) throw wrong(field, 'has no path');
  const all = nibblesOf(item);
  const flag = all[0] as number;
  if (flag > 3) throw wrong(field, 'has a path with a wrong flag');
  return { nibbles: all.slice(flag % 2 === 1 ? 1 : 2), isLeaf: flag >= 2 };
};

const startsWith = (nibbles: readonly number[], part: readonly number[], at: number): boolean =>
  part.every((one, i) => nibbles[at + i] === one);

/** What a node leads to: on to a child, to the value, or to nothing. */
type Step = { readonly child: RlpItem; readonly used: number } | { readonly value: Uint8Array | null };

const asValue = (item: RlpItem | undefined, field: string): Step => {
  if (!(item instanceof Uint8Array)) throw wrong(field, 'has a list for a value');
  return { value: item.length === 0 ? null : item };
};

const stepBranch = (items: readonly RlpItem[], next: number | undefined, field: string): Step => {
  if (next === undefined) return asValue(items[16], field);
  const child = items[next] as RlpItem;
  return child instanceof Uint8Array && child.length === 0 ? { value: null } : { child, used: 1 };
};

const step = (node: RlpItem, nibbles: readonly number[], at: number, field: string): Step => {
  if (node instanceof Uint8Array) throw wrong(field, 'is no node');
  if (node.length === 17) return stepBranch(node, nibbles[at], field);
  if (node.length !== 2) throw wrong(field, `has ${node.length} items`);
  const { nibbles: part, isLeaf } = pathOf(node[0], field);
  const isOnPath = startsWith(nibbles, part, at);
  if (isLeaf) return isOnPath && at + part.length === nibbles.length ? asValue(node[1], field) : { value: null };
  return isOnPath ? { child: node[1] as RlpItem, used: part.length } : { value: null };
};

const decode = (bytes: Uint8Array, field: string): RlpItem => {
  try {
    return rlpDecode(bytes);
  } catch {
    throw wrong(field, 'is not RLP');
  }
};

/** A node below 32 bytes stands in its parent; some nodes list it once more (1), others do not (0). */
const countHeld = (held: Uint8Array, listed: Uint8Array | undefined, field: string): number => {
  if (held.length >= 32) throw wrong(field, 'holds a node that is too large to be held');
  return listed !== undefined && sameBytes(listed, held) ? 1 : 0;
};

/** What a proof is about. */
export interface TrieClaim {
  readonly root: Uint8Array;
  readonly key: Uint8Array;
  /** Name of the proof in faults, such as `accountProof`. */
  readonly field: string;
}

/**
 * Reads the value of a key out of a proof: the nodes from the root down (EIP-1186).
 * @returns null when the proof shows that the key is not in the trie
 * @throws ProofFault naming the node that does not fit
 */
export function readTrieProof(keccak: Keccak, nodes: readonly Uint8Array[], { root, key, field }: TrieClaim): Uint8Array | null {
  const nibbles = nibblesOf(key);
  const isBare = nodes.length === 0 || (nodes.length === 1 && sameBytes(nodes[0] as Uint8Array, EMPTY_NODE));
  if (isBare && toHex(root) === EMPTY_ROOT) return null;
  let expected: RlpItem = root;
  let used = 0;
  let at = 0;
  for (;;) {
    const place = `${field}[${used}]`;
    let node: RlpItem = expected;
    if (expected instanceof Uint8Array) {
      const bytes = nodes[used];
      if (bytes === undefined) throw wrong(place, 'is missing');
      if (expected.length !== 32 || !sameBytes(keccak(bytes), expected)) throw wrong(place, `does not hash to ${toHex(expected)}`);
      node = decode(bytes, place);
      used++;
    } else used += countHeld(rlpEncode(expected), nodes[used], place);
    const next = step(node, nibbles, at, place);
    if ('value' in next) {
      if (used !== nodes.length) throw wrong(`${field}[${used}]`, 'is not needed');
      return next.value;
    }
    expected = next.child;
    at += next.used;
  }
}
