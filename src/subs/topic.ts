import { Fault } from '../base/fault.ts';
import { isRecord } from '../chain/evm/fields.ts';

/** Which logs a subscription wants. Lower case; sorted where order means nothing. */
export interface LogFilter {
  /** Empty = any address. */
  readonly addresses: readonly string[];
  /** Alternatives per position; an empty position takes any topic, but the log must have one there. */
  readonly topics: readonly (readonly string[])[];
}

/** What clients can subscribe to. Equal wishes have equal keys. */
export type Topic =
  | { readonly kind: 'newHeads'; readonly key: string }
  | { readonly kind: 'logs'; readonly key: string; readonly filter: LogFilter }
  | { readonly kind: 'newPendingTransactions'; readonly key: string; readonly full: boolean }
  | { readonly kind: 'syncing'; readonly key: string };

export type TopicKind = Topic['kind'];

const ADDRESS = /^0x[0-9a-f]{40}$/;
const WORD = /^0x[0-9a-f]{64}$/;
/** A log has at most this many topics. */
const MAX_POSITIONS = 4;

/**
 * Reads the params of `eth_subscribe`.
 * `fromBlock` and `toBlock` of a logs filter are ignored as Geth does for numbers: a subscription tells of what is new.
 * @param paramsRaw raw JSON, or ''
 * @param maxItems most addresses, and most alternatives in one position
 */
export function readTopic(paramsRaw: string, maxItems: number): Topic | Fault {
  const params: unknown = paramsRaw === '' ? [] : JSON.parse(paramsRaw);
  if (!Array.isArray(params)) return bad('params must be a list');
  const [kind, option] = params as [unknown, unknown];
  if (kind === 'logs') return readLogsTopic(option ?? {}, maxItems);
  if (kind === 'newPendingTransactions') {
    if (option !== undefined && option !== null && typeof option !== 'boolean') return bad('params[1] must be true or false');
    return { kind, key: option === true ? `${kind}:full` : kind, full: option === true };
  }
  if (kind !== 'newHeads' && kind !== 'syncing') {
    return bad('params[0] must be newHeads, logs, newPendingTransactions or syncing');
  }
  if (option !== undefined && option !== null && !isRecord(option)) return bad(`params[1]: ${kind} takes no options`);
  return { kind, key: kind };
}

function readLogsTopic(option: unknown, maxItems: number): Topic | Fault {
  if (!isRecord(option)) return bad('params[1] must be a filter');
  if (option['blockHash'] !== undefined) return bad('params[1].blockHash has no meaning in a subscription');
  const addresses = readAddresses(option['address'], maxItems);
  if (addresses instanceof Fault) return addresses;
  const topics = readPositions(option['topics'], maxItems);
  if (topics instanceof Fault) return topics;
  const key = `logs:${addresses.join()}:${topics.map((position) => position.join()).join('/')}:${topics.length}`;
  return { kind: 'logs', key, filter: { addresses, topics } };
}

function readAddresses(value: unknown, maxItems: number): readonly string[] | Fault {
  if (value === undefined || value === null) return [];
  return readSet(Array.isArray(value) ? value : [value], { place: 'params[1].address', shape: ADDRESS, what: 'a 20-byte address', maxItems });
}

function readPositions(value: unknown, maxItems: number): readonly (readonly string[])[] | Fault {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return bad('params[1].topics must be a list');
  if (value.length > MAX_POSITIONS) return bad(`params[1].topics has more than ${MAX_POSITIONS} positions`);
  const positions: (readonly string[])[] = [];
  for (const [index, position] of value.entries()) {
    const list = Array.isArray(position) ? position : [position];
    // null, alone or among alternatives, takes anything
    const set = list.includes(null)
      ? []
      : readSet(list, { place: `params[1].topics[${index}]`, shape: WORD, what: 'a 32-byte word', maxItems });
    if (set instanceof Fault) return set;
    positions.push(set);
  }
  return positions;
}

interface SetRule {
  readonly place: string;
  readonly shape: RegExp;
  readonly what: string;
  readonly maxItems: number;
}

function readSet(list: readonly unknown[], rule: SetRule): readonly string[] | Fault {
  if (list.length > rule.maxItems) return bad(`${rule.place} has more than ${rule.maxItems} entries`);
  const set = new Set<string>();
  for (const [index, item] of list.entries()) {
    const text = typeof item === 'string' ? item.toLowerCase() : '';
    if (!rule.shape.test(text)) return bad(`${rule.place}${list.length > 1 ? `[${index}]` : ''} is not ${rule.what}`);
    set.add(text);
  }
  return [...set].sort();
}

const bad = (detail: string): Fault => new Fault('invalidParams', detail);
