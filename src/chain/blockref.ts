import { elementAt, endOfValue, isAbsentAt, isArrayAt, isLatestAt, isObjectAt, memberAt, skipSpace, stringAt } from './jsonWalk.ts';
import type { BlockPlace, MethodSpec } from './method.ts';

export type BlockTag = 'latest' | 'pending' | 'safe' | 'finalized' | 'earliest';

/** A block named by tag or height: an end of a range. */
export type BlockPoint =
  | { readonly kind: 'tag'; readonly tag: BlockTag }
  | { readonly kind: 'number'; readonly number: number };

/** The block that a call is about, as far as its params tell. */
export type BlockRef =
  /** The call names no block. */
  | { readonly kind: 'none' }
  | BlockPoint
  /** By block hash, 0x-prefixed lower case. */
  | { readonly kind: 'hash'; readonly hash: string }
  /** By transaction hash: the block is in the answer. */
  | { readonly kind: 'transaction'; readonly hash: string }
  | { readonly kind: 'range'; readonly from: BlockPoint; readonly to: BlockPoint }
  /** Not to be read here. The node judges it; nothing about the block may be assumed. */
  | { readonly kind: 'bad' };

const NONE: BlockRef = { kind: 'none' };
const BAD: BlockRef = { kind: 'bad' };
const LATEST: BlockPoint = { kind: 'tag', tag: 'latest' };
const EARLIEST: BlockPoint = { kind: 'tag', tag: 'earliest' };
const TAGS: ReadonlyMap<string, BlockPoint> = new Map<string, BlockPoint>([
  ['latest', LATEST],
  ['earliest', EARLIEST],
  ['pending', { kind: 'tag', tag: 'pending' }],
  ['safe', { kind: 'tag', tag: 'safe' }],
  ['finalized', { kind: 'tag', tag: 'finalized' }],
]);

const HASH = /^0[xX][0-9a-fA-F]{64}$/;
/** Leading zeros are let through: some nodes take them, and a node that does not says so itself. */
const QUANTITY = /^0[xX]0*([0-9a-fA-F]{0,14})$/;
const INTEGER = /^[0-9]{1,16}$/;

function pointOf(value: number): BlockPoint | null {
  return Number.isSafeInteger(value) ? { kind: 'number', number: value } : null;
}

/** A tag, quantity or plain integer at `at`; null for anything else and for numbers over 2^53 - 1. @param word the string there, null = there is none */
function pointAt(text: string, at: number, word = stringAt(text, at)): BlockPoint | null {
  if (word === null) {
    const digits = text.slice(at, endOfValue(text, at));
    return INTEGER.test(digits) ? pointOf(Number(digits)) : null;
  }
  const tag = TAGS.get(word);
  if (tag !== undefined) return tag;
  const match = word.length > 2 ? QUANTITY.exec(word) : null;
  return match === null ? null : pointOf(Number.parseInt(match[1] === '' ? '0' : match[1] ?? '', 16));
}

function hashAt(text: string, at: number, kind: 'hash' | 'transaction'): BlockRef {
  const word = at < 0 ? null : stringAt(text, at);
  return word !== null && HASH.test(word) ? { kind, hash: word.toLowerCase() } : BAD;
}

/** An EIP-1898 object: `blockHash` or `blockNumber`, not both. Source: EIP-1898. */
function objectAt(text: string, at: number): BlockRef {
  const hash = memberAt(text, at, 'blockHash');
  const number = memberAt(text, at, 'blockNumber');
  if (isAbsentAt(text, hash)) return isAbsentAt(text, number) ? BAD : blockAt(text, number);
  return isAbsentAt(text, number) ? hashAt(text, hash, 'hash') : BAD;
}

/** A tag, number or hash. */
function blockAt(text: string, at: number): BlockRef {
  const word = stringAt(text, at);
  if (word !== null && word.length === 66) return hashAt(text, at, 'hash');
  return pointAt(text, at, word) ?? BAD;
}

function numberRef(text: string, place: Extract<BlockPlace, { kind: 'number' }>, at: number): BlockRef {
  if (isLatestAt(text, at)) return LATEST;
  if (isAbsentAt(text, at)) return place.fallback === 'latest' ? LATEST : NONE;
  if (!place.object) return pointAt(text, at) ?? BAD;
  return isObjectAt(text, at) ? objectAt(text, at) : blockAt(text, at);
}

/** @param openStart what a missing `fromBlock` means: the latest block for logs, the first for `trace_filter` */
function rangeRef(text: string, at: number, openStart: BlockPoint): BlockRef {
  if (at < 0 || !isObjectAt(text, at)) return BAD;
  const hash = memberAt(text, at, 'blockHash');
  const from = memberAt(text, at, 'fromBlock');
  const to = memberAt(text, at, 'toBlock');
  if (!isAbsentAt(text, hash)) return isAbsentAt(text, from) && isAbsentAt(text, to) ? hashAt(text, hash, 'hash') : BAD;
  const first = isAbsentAt(text, from) ? openStart : pointAt(text, from);
  const last = isAbsentAt(text, to) ? LATEST : pointAt(text, to);
  return first === null || last === null ? BAD : { kind: 'range', from: first, to: last };
}

/**
 * The block that a call is about.
 * @param paramsRaw the call's params as valid JSON text, '' when it has none. Params by name give `bad` where the
 *   method takes a block, since names differ between nodes.
 */
export function blockRefOf(spec: MethodSpec, paramsRaw: string): BlockRef {
  const place = spec.block;
  if (place.kind === 'none') return NONE;
  const start = skipSpace(paramsRaw, 0);
  if (isObjectAt(paramsRaw, start)) return BAD;
  const at = elementAt(paramsRaw, start, place.index);
  if (place.kind === 'number') return numberRef(paramsRaw, place, at);
  if (place.kind === 'range') return rangeRef(paramsRaw, at, spec.class === 'trace' ? EARLIEST : LATEST);
  return hashAt(paramsRaw, at, place.kind);
}

const ADDRESS = /^0[xX][0-9a-fA-F]{40}$/;

/** `to` of a call object, `address` (or the first of them) of a filter. */
function addressOfObject(text: string, at: number): number {
  const to = memberAt(text, at, 'to');
  if (to >= 0) return to;
  const address = memberAt(text, at, 'address');
  return address >= 0 && isArrayAt(text, address) ? elementAt(text, address, 0) : address;
}

/**
 * The account or contract that a call is about, lower case, for affinity by contract; '' when there is none.
 * Takes an address, a call object's `to`, or a filter's `address`.
 */
export function addressOf(spec: MethodSpec, paramsRaw: string): string {
  if (spec.addressIndex < 0) return '';
  const param = elementAt(paramsRaw, skipSpace(paramsRaw, 0), spec.addressIndex);
  if (param < 0) return '';
  const at = isObjectAt(paramsRaw, param) ? addressOfObject(paramsRaw, param) : param;
  const word = at < 0 ? null : stringAt(paramsRaw, at);
  return word !== null && ADDRESS.test(word) ? word.toLowerCase() : '';
}
