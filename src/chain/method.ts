/** How long an answer can be reused (DESIGN 1). `byBlock`: decided by the block that the call resolves to. */
export type FinalityRule = 'static' | 'byBlock' | 'byAnswer' | 'head' | 'never';

/** What a node must be able to do, beyond the plain read API. */
export type Capability = 'archive' | 'trace' | 'debug' | 'txpool' | 'filters';

/** The bit of each capability in `RouteEntry.lacks`. */
export const CAPABILITY_BITS: Readonly<Record<Capability, number>> = { archive: 1, trace: 2, debug: 4, txpool: 8, filters: 16 };

/** Who may call it by default: everybody, only in a dev chain, or only when config allows the method by name. */
export type Access = 'open' | 'dev' | 'guarded';

/** Where in `params` the block is named. */
export type BlockPlace =
  | { readonly kind: 'none' }
  /** A number, tag or (where `object`) EIP-1898 object at `params[index]`; absent means `fallback`. */
  | { readonly kind: 'number'; readonly index: number; readonly object: boolean; readonly fallback: 'latest' | 'none' }
  /** A block hash at `params[index]`. */
  | { readonly kind: 'hash'; readonly index: number }
  /** A transaction hash at `params[index]`: the block is known from the answer. */
  | { readonly kind: 'transaction'; readonly index: number }
  /** A filter object at `params[index]` with fromBlock, toBlock or blockHash. */
  | { readonly kind: 'range'; readonly index: number };

/** What the affinity key of the class defaults to. */
export type MethodClass = 'read' | 'logs' | 'trace' | 'write' | 'filter' | 'node' | 'dev';

/** One row of the method catalogue: everything the request path asks about a method, built once. */
export interface MethodSpec {
  readonly name: string;
  /** Dense, stable within a process: an index into typed arrays. */
  readonly index: number;
  readonly class: MethodClass;
  readonly access: Access;
  readonly block: BlockPlace;
  readonly finality: FinalityRule;
  /** Running it twice is the same as once. */
  readonly idempotent: boolean;
  /** May be sent to another node after it may have reached a first one. */
  readonly retryable: boolean;
  /** May be sent to a second node while the first still works on it. */
  readonly hedgeable: boolean;
  /** Light enough to leave in a shared upstream batch. */
  readonly batchable: boolean;
  /** Cost in units for rate budgets; `eth_blockNumber` is 1. */
  readonly weight: number;
  readonly capability: Capability | null;
  /** It reads the state of a block: accounts, code, storage, or what a run of the EVM makes of them. */
  readonly readsState: boolean;
  /** A null result can mean "this node does not have it yet": one other node may be asked. */
  readonly nullMeansAbsent: boolean;
  /** Index in params of the contract or account address, for `contract` affinity; -1 when there is none. */
  readonly addressIndex: number;
}
