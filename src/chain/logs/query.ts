import { Fault } from '../../base/fault.ts';
import { blockRefOf } from '../blockref.ts';
import type { BlockPoint } from '../blockref.ts';
import { isRecord } from '../evm/fields.ts';
import type { MethodSpec } from '../method.ts';
import { readFilter } from './filter.ts';
import type { LogFilter } from './filter.ts';
import { hasTwinKeys } from '../twinKeys.ts';

/** Blocks from `from` to `to`, both included. */
export interface BlockSpan {
  readonly from: number;
  readonly to: number;
}

/** A log query as its params tell it. */
export type LogQuery =
  | { readonly kind: 'range'; readonly filter: LogFilter; readonly from: BlockPoint; readonly to: BlockPoint }
  | { readonly kind: 'block'; readonly filter: LogFilter; readonly hash: string };

const bad = (detail: string): Fault => new Fault('invalidParams', detail);

/**
 * Reads the params of `eth_getLogs` or `eth_newFilter`.
 * @param spec names its block by a range at `params[0]`
 * @param maxItems most addresses, and most alternatives in one topic position
 */
export function readLogQuery(spec: MethodSpec, paramsRaw: string, maxItems: number): LogQuery | Fault {
  const params: unknown = paramsRaw === '' ? [] : JSON.parse(paramsRaw);
  const option: unknown = Array.isArray(params) ? params[0] : undefined;
  if (!isRecord(option)) return bad('params[0] must be a filter');
  const filter = readFilter(option, 'params[0]', maxItems);
  if (filter instanceof Fault) return filter;
  const ref = blockRefOf(spec, paramsRaw);
  if (ref.kind === 'hash') return { kind: 'block', filter, hash: ref.hash };
  if (ref.kind === 'range') return { kind: 'range', filter, from: ref.from, to: ref.to };
  const hasRange = (option['fromBlock'] ?? option['toBlock'] ?? null) !== null;
  if ((option['blockHash'] ?? null) !== null) return bad(hasRange ? 'params[0] has both blockHash and a range' : 'params[0].blockHash is not a 32-byte hash');
  return bad('params[0].fromBlock or .toBlock is neither a block number nor a tag');
}

const MEMBERS: ReadonlySet<string> = new Set(['address', 'topics', 'fromBlock', 'toBlock', 'blockHash']);

/**
 * Whether the params hold more than a filter as the execution APIs have it: further params, a member of another name, one that
 * is there twice, be it but for letter case. What they mean differs between clients.
 * @param paramsRaw of a query that could be read
 */
export function hasOddMembers(paramsRaw: string): boolean {
  const [option = {}, ...more] = JSON.parse(paramsRaw) as readonly object[];
  return more.length > 0 || !Object.keys(option).every((name) => MEMBERS.has(name)) || hasTwinKeys(paramsRaw);
}

/** The chain as a query is resolved by it: heights of its head, of its highest final block and of its safe one; -1 = none. */
export interface LogHeights {
  readonly head: number;
  readonly finalized: number;
  readonly safe: number;
}

function heightOf(point: BlockPoint, { head, finalized, safe }: LogHeights): number | null {
  if (point.kind === 'number') return point.number;
  if (point.tag === 'latest') return head;
  if (point.tag === 'earliest') return 0;
  if (point.tag === 'safe' && safe >= 0) return safe;
  return point.tag === 'finalized' && finalized >= 0 ? finalized : null;
}

/**
 * The blocks of a range. Null: it names what nobody can tell (`pending`, a safe or final block on chains without).
 * A range that ends above the head, or before it begins, is refused. Source: execution-apis, eth_getLogs; Geth eth/filters.
 */
export function resolveSpan({ from, to }: { readonly from: BlockPoint; readonly to: BlockPoint }, heights: LogHeights): BlockSpan | Fault | null {
  const [first, last] = [heightOf(from, heights), heightOf(to, heights)];
  if (first === null || last === null) return null;
  if (last > heights.head) return new Fault('rangePastHead');
  return first > last ? new Fault('rangeReversed') : { from: first, to: last };
}
