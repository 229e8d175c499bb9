import type { MethodSpec } from '../chain/method.ts';
import { KIND, type Kind } from './canonical.ts';

/** How an answer's finality is found: `byBlock` from the block in the params, `byAnswer` from the one in the answer. */
export type PlanRule = 'static' | 'byBlock' | 'byAnswer' | 'head' | 'never';

/** Where an answer tells its block: `block`: `hash`/`number`; `item`: `blockHash`/`blockNumber`; `items`: a list of such; `height`: it is a number. */
export type Shape = 'none' | 'block' | 'item' | 'items' | 'height';

/** All that is asked about a method to key, class and store its answers; built once. */
export interface Plan {
  readonly method: string;
  readonly rule: PlanRule;
  /** How each param is written in the key; what lies beyond is `raw`. */
  readonly kinds: readonly Kind[];
  /** Index of the block's param, or of the filter's; -1 = none. */
  readonly blockIndex: number;
  /** Whether the block may be named by hash or by an object of EIP-1898. */
  readonly isOpen: boolean;
  /** The param at `blockIndex` must be a hash. */
  readonly isHash: boolean;
  readonly isRange: boolean;
  /** What no block means: the latest one, where all clients take it so; else the answer is not stored. */
  readonly absentIsLatest: boolean;
  readonly shape: Shape;
  /** A null answer says "not there yet": it holds until the next head. Otherwise null is a value. */
  readonly nullIsAbsence: boolean;
  /** It looks into the pool too, which a transaction enters without a new head: null is never stored. */
  readonly isPooled: boolean;
}

/** Params that are quantities, beside the block. */
const QUANTITIES: ReadonlyMap<string, number> = new Map([
  ['eth_getStorageAt', 1],
  ['eth_feeHistory', 0],
  ['eth_getTransactionByBlockHashAndIndex', 1],
  ['eth_getTransactionByBlockNumberAndIndex', 1],
  ['eth_getRawTransactionByBlockHashAndIndex', 1],
  ['eth_getRawTransactionByBlockNumberAndIndex', 1],
  ['eth_getUncleByBlockHashAndIndex', 1],
  ['eth_getUncleByBlockNumberAndIndex', 1],
  ['eth_getTransactionBySenderAndNonce', 1],
]);

const SHAPES: ReadonlyMap<string, Shape> = new Map<string, Shape>([

  ['erigon_blockNumber', 'height'],
  ...shaped('block', ['eth_getBlockByHash', 'eth_getBlockByNumber', 'eth_getHeaderByHash', 'eth_getHeaderByNumber']),
  ...shaped('block', ['erigon_getHeaderByHash', 'erigon_getHeaderByNumber', 'ots_getHeaderByNumber']),
  ...shaped('item', ['eth_getTransactionByHash', 'eth_getTransactionReceipt', 'eth_getTransactionBySenderAndNonce', 'trace_get']),
  ...shaped('item', ['eth_getTransactionByBlockHashAndIndex', 'eth_getTransactionByBlockNumberAndIndex']),
  ...shaped('items', ['eth_getBlockReceipts', 'parity_getBlockReceipts', 'erigon_getBlockReceiptsByBlockHash', 'trace_block']),
  ...shaped('items', ['trace_transaction', 'eth_getLogs', 'erigon_getLogs', 'erigon_getLogsByHash', 'erigon_getLogsByNumber']),
]);

function shaped(shape: Shape, names: readonly string[]): [string, Shape][] {
  return names.map((name) => [name, shape]);
}

/** Whose missing block is the latest one with Geth, Erigon, Nethermind, Besu, Reth, anvil and hardhat alike; the others refuse or differ. */
const ABSENT_IS_LATEST: ReadonlySet<string> = new Set(['eth_call']);

const POOLED: ReadonlySet<string> = new Set(['eth_getTransactionByHash', 'eth_getTransactionBySenderAndNonce']);

function kindsOf(spec: MethodSpec): Kind[] {
  const kinds: Kind[] = [];
  const put = (index: number, kind: Kind): void => {
    while (kinds.length <= index) kinds.push(KIND.raw);
    kinds[index] = kind;
  };
  const { block } = spec;
  if (spec.addressIndex >= 0) put(spec.addressIndex, TAKES_CALL.test(spec.name) ? KIND.call : KIND.address);
  const quantity = QUANTITIES.get(spec.name);
  if (quantity !== undefined) put(quantity, KIND.quantity);
  if (block.kind === 'transaction') put(block.index, KIND.hash);
  else if (block.kind === 'range') put(block.index, KIND.filter);
  else if (block.kind !== 'none') put(block.index, KIND.block);
  return kinds;
}

/** Methods whose first param is a transaction object. */
const TAKES_CALL = /call|estimateGas|createAccessList/i;

/** The plan of a catalogued method. */
export function planOf(spec: MethodSpec): Plan {
  const { block } = spec;
  return {
    method: spec.name,
    rule: spec.finality,
    kinds: kindsOf(spec),
    blockIndex: block.kind === 'none' || block.kind === 'transaction' ? -1 : block.index,
    isOpen: block.kind === 'hash' || (block.kind === 'number' && block.object),
    isHash: block.kind === 'hash',
    isRange: block.kind === 'range',
    absentIsLatest: ABSENT_IS_LATEST.has(spec.name),
    shape: SHAPES.get(spec.name) ?? 'none',
    nullIsAbsence: spec.nullMeansAbsent,
    isPooled: POOLED.has(spec.name),
  };
}
