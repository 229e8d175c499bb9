import type { BlockPlace, FinalityRule, MethodSpec } from '../method.ts';

/** A catalogue row before it has its index. */
export type MethodRow = Omit<MethodSpec, 'index' | 'readsState'>;

/** What a row may set against its family's defaults. */
export type RowChange = Partial<Omit<MethodRow, 'name' | 'block' | 'weight'>>;

export const NONE: BlockPlace = { kind: 'none' };

/** From this weight on a second copy of the call costs a node more than waiting costs the client. */
const HEDGE_BELOW_WEIGHT = 20;
/** From this weight on a call would hold up the others of a shared batch. */
const BATCH_BELOW_WEIGHT = 5;

/** A required block number or tag at `params[index]`. */
export const number = (index: number): BlockPlace => ({ kind: 'number', index, object: false, fallback: 'none' });

/** A required block number, tag, hash or EIP-1898 object at `params[index]`. */
export const block = (index: number): BlockPlace => ({ kind: 'number', index, object: true, fallback: 'none' });

/** The block whose state is read, at `params[index]`; the latest where it is absent. */
export const state = (index: number): BlockPlace => ({ kind: 'number', index, object: true, fallback: 'latest' });

export const hash = (index: number): BlockPlace => ({ kind: 'hash', index });
export const transaction = (index: number): BlockPlace => ({ kind: 'transaction', index });
export const range = (index: number): BlockPlace => ({ kind: 'range', index });

function finalityOf(place: BlockPlace): FinalityRule {
  if (place.kind === 'none') return 'never';
  return place.kind === 'transaction' ? 'byAnswer' : 'byBlock';
}

/**
 * A call that changes nothing and that any node can answer.
 * Weights follow the ratios of the price tables that public providers publish (one `eth_blockNumber` = 1), rounded.
 */
export function read(name: string, place: BlockPlace, weight: number, change: RowChange = {}): MethodRow {
  return {
    name,
    class: 'read',
    access: 'open',
    block: place,
    finality: finalityOf(place),
    idempotent: true,
    retryable: true,
    // a trace can cost a node anything, whatever its price
    hedgeable: weight < HEDGE_BELOW_WEIGHT && change.class !== 'trace',
    batchable: weight < BATCH_BELOW_WEIGHT,
    weight,
    capability: null,
    nullMeansAbsent: false,
    addressIndex: -1,
    ...change,
  };
}

/** A look-up of a block, transaction or receipt: null can mean that the node is behind. */
export const lookUp = (name: string, place: BlockPlace, weight: number, change: RowChange = {}): MethodRow =>
  read(name, place, weight, { nullMeansAbsent: true, ...change });

/** A call that must not run twice. */
export function once(name: string, weight: number, change: RowChange = {}): MethodRow {
  return read(name, NONE, weight, { idempotent: false, retryable: false, hedgeable: false, batchable: false, ...change });
}

/** Calls that nobody may make unless the config names them. */
export const guarded = (names: readonly string[]): readonly MethodRow[] =>
  names.map((name) => once(name, 10, { class: 'node', access: 'guarded' }));
