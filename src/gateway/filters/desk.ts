import type { FaultKind } from '../../base/fault.ts';

/** A call about a filter. */
export interface FilterAsk {
  readonly method: string;
  readonly paramsRaw: string;
  /** Name of whose it is. */
  readonly client: string;
}

/** What it comes to: raw JSON of the result, a refusal, or a query for logs that is to be run in its place. */
export type FilterWord =
  | { readonly kind: 'result'; readonly raw: string }
  | { readonly kind: 'fault'; readonly fault: FaultKind; readonly detail: string }
  | { readonly kind: 'query'; readonly paramsRaw: string };

/** Where the filters of a chain are kept: in the process that follows it. */
export interface FilterDesk {
  /** @param done is called once, possibly within this call */
  ask(ask: FilterAsk, done: (word: FilterWord) => void): void;
}

const METHODS: ReadonlySet<string> = new Set([
  'eth_newFilter', 'eth_newBlockFilter', 'eth_newPendingTransactionFilter', 'eth_getFilterChanges', 'eth_getFilterLogs', 'eth_uninstallFilter',
]);

export const isFilterMethod = (method: string): boolean => METHODS.has(method);
