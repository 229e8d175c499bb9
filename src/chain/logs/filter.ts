import { Fault } from '../../base/fault.ts';
import type { BloomBits } from '../evm/bloom.ts';
import { bloomBits, bloomHas } from '../evm/bloom.ts';

/** Which logs are wanted. Lower case; sorted where order means nothing. */
export interface LogFilter {
  /** Empty = any address. */
  readonly addresses: readonly string[];
  /** Alternatives per position; an empty position takes any topic, but the log must have one there. */
  readonly topics: readonly (readonly string[])[];
}

const ADDRESS = /^0x[0-9a-f]{40}$/;
const WORD = /^0x[0-9a-f]{64}$/;
/** A log has at most this many topics. */
const MAX_POSITIONS = 4;

interface SetRule {
  readonly place: string;
  readonly shape: RegExp;
  readonly what: string;
  readonly maxItems: number;
}

const bad = (detail: string): Fault => new Fault('invalidParams', detail);

function readSet(list: readonly unknown[], { place, shape, what, maxItems }: SetRule): readonly string[] | Fault {
  if (list.length > maxItems) return bad(`${place} has more than ${maxItems} entries`);
  const set = new Set<string>();
  for (const [index, item] of list.entries()) {
    const text = typeof item === 'string' ? item.toLowerCase() : '';
    if (!shape.test(text)) return bad(`${place}${list.length > 1 ? `[${index}]` : ''} is not ${what}`);
    set.add(text);
  }
  return [...set].sort();
}

function readPositions(value: unknown, place: string, maxItems: number): readonly (readonly string[])[] | Fault {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return bad(`${place} must be a list`);
  if (value.length > MAX_POSITIONS) return bad(`${place} has more than ${MAX_POSITIONS} positions`);
  const positions: (readonly string[])[] = [];
  for (const [index, position] of value.entries()) {
    const list = Array.isArray(position) ? position : [position];
    // null, alone or among alternatives, takes anything
    const set = list.includes(null) ? [] : readSet(list, { place: `${place}[${index}]`, shape: WORD, what: 'a 32-byte word', maxItems });
    if (set instanceof Fault) return set;
    positions.push(set);
  }
  return positions;
}

/**
 * Reads `address` and `topics` of a filter object.
 * @param place where it stands, for errors, such as `params[0]`
 * @param maxItems most addresses, and most alternatives in one position
 */
export function readFilter(option: Readonly<Record<string, unknown>>, place: string, maxItems: number): LogFilter | Fault {
  const { address, topics } = option;
  const list = address === undefined || address === null ? [] : Array.isArray(address) ? address : [address];
  const addresses = readSet(list, { place: `${place}.address`, shape: ADDRESS, what: 'a 20-byte address', maxItems });
  if (addresses instanceof Fault) return addresses;
  const positions = readPositions(topics, `${place}.topics`, maxItems);
  return positions instanceof Fault ? positions : { addresses, topics: positions };
}

/** Equal for filters that want the same logs. */
export const filterKey = ({ addresses, topics }: LogFilter): string => `${addresses.join()}:${topics.map((any) => any.join()).join('/')}:${topics.length}`;

/** JSON of the members that a node is given for the filter, without braces; '' = none. */
export function filterMembers({ addresses, topics }: LogFilter): string {
  const members: string[] = [];
  if (addresses.length > 0) members.push(`"address":${JSON.stringify(addresses)}`);
  if (topics.length > 0) members.push(`"topics":${JSON.stringify(topics.map((any) => (any.length === 0 ? null : any)))}`);
  return members.join();
}

/** True when every log that `narrow` wants is one that `wide` wants. */
export function contains(wide: LogFilter, narrow: LogFilter): boolean {
  const within = (some: readonly string[], all: readonly string[]): boolean => all.length === 0 || (some.length > 0 && some.every((item) => all.includes(item)));
  if (wide.topics.length > narrow.topics.length || !within(narrow.addresses, wide.addresses)) return false;
  return wide.topics.every((any, place) => within(narrow.topics[place] ?? [], any));
}

/** True when the filter wants a log of this address with these topics, in lower case. */
export function wants(filter: LogFilter, address: string, topics: readonly string[]): boolean {
  if (filter.addresses.length > 0 && !filter.addresses.includes(address)) return false;
  if (filter.topics.length > topics.length) return false;
  return filter.topics.every((any, place) => any.length === 0 || any.includes(topics[place] ?? ''));
}

/** A filter made ready to be held against the blooms of blocks. */
export class FilterBits {
  readonly #places: readonly (readonly BloomBits[])[];

  constructor({ addresses, topics }: LogFilter) {
    this.#places = [addresses, ...topics].filter((any) => any.length > 0).map((any) => any.map(bloomBits));
  }

  /** False when no log of a block with this bloom can be wanted; null = the block has no bloom that means anything. */
  mayMatch(bloom: Uint8Array | null): boolean {
    return bloom === null || this.#places.every((any) => any.some((bits) => bloomHas(bloom, bits)));
  }
}
