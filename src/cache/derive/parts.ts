import { endOfValue, isArrayAt, isObjectAt, skipSpace } from '../../chain/jsonWalk.ts';
import { type Members, readMembers } from '../members.ts';

/** One transaction, or one receipt, within the bytes of a stored answer. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** Hash of the transaction, lower case. */
  readonly hash: string;
  /** Its `type` as written; '' = it has none, or is named by its hash alone. */
  readonly type: string;
}

/** A stored block, taken apart. */
export interface BlockParts {
  readonly parts: readonly Part[];
  /** Transactions are written out, not named by their hashes. */
  readonly isFull: boolean;
  /** -1 = the block does not list them. */
  readonly uncles: number;
}

/** A log within a stored list of receipts. Lower case. */
export interface LogPart {
  readonly from: number;
  readonly to: number;
  readonly address: string;
  readonly topics: readonly string[];
}

const HASH = /^"0x[0-9a-fA-F]{64}"$/;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

/** The text of a member with its quotes; '' = it is not there. */
function wordOf(text: string, members: Members, name: string): string {
  const index = members.keys.indexOf(name);
  return index < 0 ? '' : text.slice(members.from[index], members.to[index]);
}

/** A string of its own, which keeps no longer one alive. */
const own = (text: string): string => Buffer.from(text, 'latin1').toString('latin1');

const hashIn = (word: string): string => (HASH.test(word) ? own(word.slice(1, -1).toLowerCase()) : '');

/** Calls `take` for each value of the array at `at`. @returns false when there is none, or `take` says so */
function each(text: string, at: number, take: (from: number, to: number, index: number) => boolean): boolean {
  if (!isArrayAt(text, at)) return false;
  let from = skipSpace(text, at + 1);
  for (let index = 0; text.charCodeAt(from) !== CLOSE_ARRAY; index++) {
    const to = endOfValue(text, from);
    if (to <= from || !take(from, to, index)) return false;
    from = skipSpace(text, to);
    if (text.charCodeAt(from) === COMMA) from = skipSpace(text, from + 1);
    else if (text.charCodeAt(from) !== CLOSE_ARRAY) return false;
  }
  return true;
}

/** Whether an object tells that it is the `index`-th of that block. */
const isAt = (text: string, members: Members, block: string, index: number): boolean =>
  hashIn(wordOf(text, members, 'blockHash')) === block && wordOf(text, members, 'transactionIndex') === `"0x${index.toString(16)}"`;

/**
 * Takes a stored block apart.
 * @param value JSON of the block
 * @param block its hash
 * @returns null when it is no block of that hash, or not all of it can be told without doubt
 */
export function readBlock(value: Buffer, block: string): BlockParts | null {
  const text = value.toString('latin1');
  const members = isObjectAt(text, 0) ? readMembers(text, 0) : null;
  const list = members?.keys.indexOf('transactions') ?? -1;
  if (members === null || list < 0 || hashIn(wordOf(text, members, 'hash')) !== block) return null;
  const parts: Part[] = [];
  let full = 0;
  const take = (from: number, to: number, index: number): boolean => {
    if (!isObjectAt(text, from)) {
      const hash = hashIn(text.slice(from, to));
      parts.push({ from, to, hash, type: '' });
      return hash !== '';
    }
    const transaction = readMembers(text, from);
    if (transaction === null || !isAt(text, transaction, block, index)) return false;
    const hash = hashIn(wordOf(text, transaction, 'hash'));
    parts.push({ from, to, hash, type: own(wordOf(text, transaction, 'type')) });
    full++;
    return hash !== '';
  };
  if (!each(text, members.from[list] as number, take) || (full > 0 && full < parts.length)) return null;
  return { parts, isFull: full > 0, uncles: unclesIn(text, members) };
}

function unclesIn(text: string, members: Members): number {
  const at = members.keys.indexOf('uncles');
  let uncles = 0;
  const isList = at >= 0 && each(text, members.from[at] as number, (from, to) => {
    uncles++;
    return HASH.test(text.slice(from, to));
  });
  return isList ? uncles : -1;
}

/** Takes a stored list of receipts apart; null when it is none of that block, or not all of it can be told without doubt. */
export function readReceipts(value: Buffer, block: string): readonly Part[] | null {
  const text = value.toString('latin1');
  const parts: Part[] = [];
  const isList = each(text, 0, (from, to, index) => {
    const receipt = isObjectAt(text, from) ? readMembers(text, from) : null;
    if (receipt === null || !isAt(text, receipt, block, index)) return false;
    const hash = hashIn(wordOf(text, receipt, 'transactionHash'));
    parts.push({ from, to, hash, type: own(wordOf(text, receipt, 'type')) });
    return hash !== '';
  });
  return isList ? parts : null;
}

/** The logs of all receipts, in order; null when not all can be told without doubt. */
export function readLogParts(value: Buffer, receipts: readonly Part[]): readonly LogPart[] | null {
  const text = value.toString('latin1');
  const logs: LogPart[] = [];
  const take = (from: number, to: number): boolean => {
    const log = isObjectAt(text, from) ? readMembers(text, from) : null;
    const address = log === null ? '' : wordOf(text, log, 'address').toLowerCase();
    const list = log?.keys.indexOf('topics') ?? -1;
    const topics: string[] = [];
    const isRead = log !== null && list >= 0 && /^"0x[0-9a-f]{40}"$/.test(address) && each(text, log.from[list] as number, (start, end) => {
      const topic = hashIn(text.slice(start, end));
      topics.push(topic);
      return topic !== '';
    });
    logs.push({ from, to, address: address.slice(1, -1), topics });
    return isRead;
  };
  const isWhole = receipts.every((receipt) => {
    const members = readMembers(text, receipt.from);
    const list = members?.keys.indexOf('logs') ?? -1;
    return members !== null && list >= 0 && each(text, members.from[list] as number, take);
  });
  return isWhole ? logs : null;
}
