import { MemberReader } from '../rpc/member.ts';
import { CLOSE_BRACKET, OPEN_BRACE, OPEN_BRACKET, QUOTE, skipSpace } from '../rpc/token.ts';
import { rawSlice } from '../rpc/text.ts';
import type { BlockMark } from '../chain/head.ts';
import type { Shape } from './plan.ts';

/** Far deeper than any answer that tells its block. */
const MAX_DEPTH = 1024;
const BLOCK_NAMES: readonly string[] = ['hash', 'number'];
const ITEM_NAMES: readonly string[] = ['blockHash', 'blockNumber'];
const HASH = 0;
const NUMBER = 1;

/**
 * The block that an answer says it is about. `none`: it tells no block; `bad`: it tells one that cannot be read, or a pending one.
 * @param body a node's answer, checked to be JSON
 * @param start where its result begins
 */
export function carriedBlock(body: Buffer, start: number, shape: Shape): BlockMark | 'none' | 'bad' {
  if (shape === 'none' || shape === 'height') return 'none';
  if (shape === 'block') return body[start] === OPEN_BRACE ? markOf(new MemberReader(body, BLOCK_NAMES), start) : 'none';
  const items = new MemberReader(body, ITEM_NAMES);
  if (shape === 'item') return body[start] === OPEN_BRACE ? markOf(items, start) : 'none';
  return body[start] === OPEN_BRACKET ? ofItems(items, start) : 'none';
}

/** The items of one block tell the same one, so the first speaks for all. */
function ofItems(items: MemberReader, start: number): BlockMark | 'none' | 'bad' {
  const first = skipSpace(items.bytes, start + 1);
  if (items.bytes[first] === CLOSE_BRACKET) return 'none';
  return items.bytes[first] === OPEN_BRACE ? markOf(items, first) : 'bad';
}

function markOf(object: MemberReader, start: number): BlockMark | 'bad' {
  if (object.read(start, MAX_DEPTH) < 0 || object.twice !== 0) return 'bad';
  const told = wordOf(object, HASH).toLowerCase();
  const height = heightOf(object, NUMBER);
  return /^0x[0-9a-f]{64}$/.test(told) && height >= 0 ? { number: height, hash: told } : 'bad';
}

function wordOf(object: MemberReader, n: number): string {
  const from = object.from[n] as number;
  return from === 0 || object.bytes[from] !== QUOTE ? '' : rawSlice(object.bytes, from + 1, (object.to[n] as number) - 1);
}

/** Most nodes write a quantity; OpenEthereum's traces a plain number. */
function heightOf(object: MemberReader, n: number): number {
  const from = object.from[n] as number;
  if (from === 0) return -1;
  const word = wordOf(object, n) || rawSlice(object.bytes, from, object.to[n] as number);
  return heightOfWord(word);
}

/** The number of a quantity or of plain digits; -1 = neither, or over 2^53 - 1. */
export function heightOfWord(word: string): number {
  const value = /^0x[0-9a-fA-F]{1,14}$/.test(word) || /^[0-9]{1,16}$/.test(word) ? Number(word) : -1;
  return Number.isSafeInteger(value) ? value : -1;
}
