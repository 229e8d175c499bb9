import { memberAt, skipSpace, stringAt } from './jsonWalk.ts';
import type { ChainView } from './view.ts';

/**
 * Where a result names its block: `block` is one (`number`, `hash`), `item` is something of one (`blockNumber`,
 * `blockHash`), `items` is an array of such things in the order of their blocks, judged by its last.
 */
export type StampShape = 'block' | 'item' | 'items';

/** A result within the bytes of its answer. */
export interface ResultBytes {
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/**
 * How a result stands to the trusted branch. `none`: it names no block, such as null, an empty list or a transaction that
 * waits. `unknown`: the trusted hash at its height is not known. `ahead`: above the trusted head.
 */
export type Standing = 'none' | 'on' | 'forked' | 'ahead' | 'unknown';

const COLON = 0x3a;
const SPACE = 0x20;
const QUOTE = 0x22;
/** Characters of the longest number that is read: 0x and 14 digits, with its quotes. */
const NUMBER_CHARS = 18;

/** Offset of the value of the member `key` (with its quotes); -1 = not there. No string can hold a bare quote, so a key is found by its bytes. */
function valueAt({ bytes, start, end }: ResultBytes, key: string, last: boolean): number {
  const found = last ? bytes.lastIndexOf(key, end - 1, 'latin1') : bytes.indexOf(key, start, 'latin1');
  if (found < start || found >= end) return -1;
  let at = found + key.length;
  while (at < end && (bytes[at] === COLON || (bytes[at] as number) <= SPACE)) at++;
  return at;
}

/** Height of the block that a result is of, of a list the last one's; -1 = none. A block's own `number` is the only member of that name in it. */
export function blockNumberIn(shape: StampShape, result: ResultBytes): number {
  const { bytes, end } = result;
  const at = valueAt(result, shape === 'block' ? '"number"' : '"blockNumber"', shape === 'items');
  if (at < 0) return -1;
  const text = bytes.toString('latin1', at, Math.min(end, at + NUMBER_CHARS));
  const match = /^"?(0[xX][0-9a-fA-F]{1,14}|[0-9]{1,15})(?:"|[^0-9a-fA-FxX]|$)/.exec(text);
  return match?.[1] === undefined ? -1 : Number(match[1]);
}

/** Whether a result is of the block with this hash (0x-prefixed, lower case). */
export function isOfBlock(shape: StampShape, result: ResultBytes, hash: string): boolean {
  const { bytes, start, end } = result;
  if (shape !== 'block') {
    const at = valueAt(result, '"blockHash"', shape === 'items');
    return at >= 0 && bytes[at] === QUOTE && bytes.toString('latin1', at + 1, at + 1 + hash.length).toLowerCase() === hash;
  }
  // Its transactions have a `hash` too, but none of them is a block's.
  const plain = bytes.indexOf(`"hash":"${hash}"`, start, 'latin1');
  if (plain >= start && plain < end) return true;
  const text = bytes.toString('latin1', start, end);
  return stringAt(text, memberAt(text, skipSpace(text, 0), 'hash'))?.toLowerCase() === hash;
}

/** Where a result stands to the branch that is trusted now. */
export function standingOf(shape: StampShape, result: ResultBytes, view: ChainView): Standing {
  const number = blockNumberIn(shape, result);
  const { head } = view;
  if (number < 0 || head === null) return 'none';
  if (number > head.number) return 'ahead';
  const hash = view.hashAt(number);
  if (hash === '') return 'unknown';
  return isOfBlock(shape, result, hash) ? 'on' : 'forked';
}
