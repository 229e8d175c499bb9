import { Fault } from '../base/fault.ts';
import { isRecord } from '../chain/evm/fields.ts';
import { filterKey, readFilter } from '../chain/logs/filter.ts';
import type { LogFilter } from '../chain/logs/filter.ts';
import { hasTwinKeys } from '../chain/twinKeys.ts';

/** What clients can subscribe to. Equal wishes have equal keys. */
export type Topic =
  | { readonly kind: 'newHeads'; readonly key: string }
  | { readonly kind: 'logs'; readonly key: string; readonly filter: LogFilter }
  | { readonly kind: 'newPendingTransactions'; readonly key: string; readonly full: boolean }
  | { readonly kind: 'syncing'; readonly key: string };

export type TopicKind = Topic['kind'];

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
  if (kind === 'logs') return hasTwinKeys(paramsRaw) ? bad('params[1] has a member twice') : readLogsTopic(option ?? {}, maxItems);
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
  const filter = readFilter(option, 'params[1]', maxItems);
  return filter instanceof Fault ? filter : { kind: 'logs', key: `logs:${filterKey(filter)}`, filter };
}

const bad = (detail: string): Fault => new Fault('invalidParams', detail);
