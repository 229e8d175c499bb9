import { isArrayAt, isObjectAt } from '../chain/jsonWalk.ts';
import { type Members, readMembers } from './members.ts';
import { hexEnd } from './hex.ts';

/** How params name their block. */
export const REF = {
  /** The method takes no block. */
  none: 0,
  /** It takes one, and none was given (or null). */
  absent: 1,
  latest: 2,
  pending: 3,
  safe: 4,
  finalized: 5,
  earliest: 6,
  number: 7,
  hash: 8,
  /** What cannot be read here: the node judges it, and nothing is assumed of the answer. */
  bad: 9,
} as const;
export type RefKind = (typeof REF)[keyof typeof REF];

/** A block as a call names it. One instance is refilled for each call. */
export class BlockWord {
  kind: RefKind = REF.none;
  /** For `number`. */
  number = -1;
  /** For `hash`: 0x-prefixed lower case. */
  hash = '';
  /** EIP-1898 `requireCanonical`: the node is to refuse a block that is not on its branch. */
  canonical = false;

  set(kind: RefKind): void {
    this.kind = kind;
    this.number = -1;
    this.hash = '';
    this.canonical = false;
  }

  /**
   * Reads the value at `[at, end)`: a tag, a quantity or null; where `isOpen`, a block hash or an object of EIP-1898 too.
   * Anything else is `bad`: also numbers that are not in quotes and hex with `0X`, which only some nodes take.
   */
  read(text: string, at: number, end: number, isOpen: boolean): void {
    this.set(REF.bad);
    if (text.charCodeAt(at) === 0x22) this.#readString(text, at, end, isOpen);
    else if (text.startsWith('null', at)) this.kind = REF.absent;
    else if (isOpen && isObjectAt(text, at)) this.#readObject(text, at);
  }

  #readString(text: string, at: number, end: number, isOpen: boolean): void {
    const length = end - at - 2;
    if (text.charCodeAt(at + 1) !== 0x30) {
      this.kind = tagOf(text.slice(at + 1, end - 1));
    } else if (length === 66 && isOpen) {
      if (hexEnd(text, at + 3) !== end - 1 || text.charCodeAt(at + 2) !== 0x78) return;
      this.kind = REF.hash;
      this.hash = text.slice(at + 1, end - 1).toLowerCase();
    } else {
      const value = quantityAt(text, at, end);
      if (value < 0) return;
      this.kind = REF.number;
      this.number = value;
    }
  }

  #readObject(text: string, at: number): void {
    const members = readMembers(text, at);
    if (members === null) return;
    const hash = indexOfKey(members, 'blockHash');
    const number = indexOfKey(members, 'blockNumber');
    const canonical = indexOfKey(members, 'requireCanonical');
    const known = [hash, number, canonical].filter((index) => index >= 0).length;
    if (known !== members.keys.length || (hash >= 0) === (number >= 0)) return;
    const at2 = hash >= 0 ? hash : number;
    const from = members.from[at2] as number;
    if (isArrayAt(text, from) || isObjectAt(text, from)) return;
    this.read(text, from, members.to[at2] as number, hash >= 0);
    if (this.kind === REF.absent || (this.kind === REF.hash) !== (hash >= 0)) return this.set(REF.bad);
    if (canonical < 0) return;
    const flag = text.slice(members.from[canonical], members.to[canonical]);
    if (flag === 'true') this.canonical = true;
    else if (flag !== 'false') this.set(REF.bad);
  }
}

const indexOfKey = (members: Members, key: string): number => members.keys.indexOf(key);

/** The number of a quantity in quotes, leading zeros allowed; -1 = none, or over 2^53 - 1. */
function quantityAt(text: string, at: number, end: number): number {
  if (text.charCodeAt(at + 2) !== 0x78 || end - at < 5 || hexEnd(text, at + 3) !== end - 1) return -1;
  const value = Number.parseInt(text.slice(at + 3, end - 1), 16);
  return Number.isSafeInteger(value) ? value : -1;
}

function tagOf(word: string): RefKind {
  switch (word) {
    case 'latest': return REF.latest;
    case 'pending': return REF.pending;
    case 'safe': return REF.safe;
    case 'finalized': return REF.finalized;
    case 'earliest': return REF.earliest;
    default: return REF.bad;
  }
}
