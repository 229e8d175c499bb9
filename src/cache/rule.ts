import type { BlockMark } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import type { KeyReader } from './key.ts';
import type { Plan } from './plan.ts';
import { type BlockWord, REF, type RefKind } from './ref.ts';

/** How long an answer can be reused: for ever, once final, as long as its block stands, until the next head, not at all. */
export type FinalityClass = 'static' | 'finalized' | 'unfinalized' | 'head' | 'never';

/** One call, keyed and resolved against the chain as it is now. */
export interface CallAsk {
  readonly plan: Plan;
  /** `unfinalized` for a call whose block only its answer tells. */
  readonly class: FinalityClass;
  /**
   * Stands for the call, its block resolved: calls with equal keys must give equal answers at one `hash`. '' = the call
   * can be neither stored nor shared.
   */
  readonly key: string;
  /** How the block was named. */
  readonly ref: RefKind;
  /** Block whose state the answer is, of a range the upper end; -1 = not known before the answer, or there is none. */
  readonly number: number;
  /** Lower end of a range; -1 = it is none. */
  readonly bottom: number;
  /** Its trusted hash; '' = not known. For a call without a block, the trusted head's. */
  readonly hash: string;
}

/** Block of a call as the chain has it. */
interface Resolved {
  class: FinalityClass;
  ref: RefKind;
  /** Its part of the key. */
  token: string;
  number: number;
  bottom: number;
  hash: string;
}

/** Of calls that may not be stored or shared at all. */
const keyless = (plan: Plan, ref: RefKind): CallAsk => ({ plan, class: 'never', key: '', ref, number: -1, bottom: -1, hash: '' });

/**
 * Keys a call and resolves its block: `latest` to the trusted head, `finalized` to the trusted finalized block, numbers
 * to their trusted hash. A call that names `pending` is never shared; `safe` and `earliest` mean different blocks with
 * different clients (Geth's `earliest` is the oldest block that it still has): their answers are not stored.
 * @param reader is refilled
 */
export function askOf(plan: Plan, paramsRaw: string, view: ChainView, reader: KeyReader): CallAsk {
  if (plan.rule === 'never' || !reader.read(plan, paramsRaw)) return keyless(plan, REF.none);
  const found = resolve(plan, reader, view);
  if (found.class === 'never') return keyless(plan, found.ref);
  const { class: finality, ref, number, bottom, hash, token } = found;
  return { plan, class: finality, key: `${plan.method}\n${reader.text}\n${token}`, ref, number, bottom, hash };
}

const made = (finality: FinalityClass, ref: RefKind, token: string, mark: BlockMark | null): Resolved =>
  ({ class: finality, ref, token, number: mark?.number ?? -1, bottom: -1, hash: mark?.hash ?? '' });

function resolve(plan: Plan, reader: KeyReader, view: ChainView): Resolved {
  const { block } = reader;
  if (plan.rule === 'static') return made('static', block.kind, '', null);
  if (plan.rule === 'head') return made(view.head === null ? 'never' : 'head', block.kind, '', view.head);
  if (plan.rule === 'byAnswer') return made('unfinalized', block.kind, '', view.head);
  if (plan.isRange && block.kind !== REF.hash) return rangeOf(reader, view);
  const kind = block.kind === REF.absent && plan.absentIsLatest ? REF.latest : block.kind;
  return pointOf(kind, block, view);
}

function pointOf(kind: RefKind, block: BlockWord, view: ChainView): Resolved {
  if (kind === REF.hash) return { class: 'unfinalized', ref: kind, token: block.hash, number: -1, bottom: -1, hash: block.hash };
  const number = heightOf(kind, block, view);
  if (number < 0) return made('never', kind, '', null);
  return { ...atHeight(number, kind, view), token: `#${number}` };
}

/** Height that a word means; -1 = it is not to be said. */
function heightOf(kind: RefKind, block: BlockWord, view: ChainView): number {
  switch (kind) {
    case REF.latest: return view.head?.number ?? -1;
    case REF.finalized: return view.finalized?.number ?? -1;
    case REF.number: return block.number;
    default: return -1;
  }
}

function atHeight(number: number, ref: RefKind, view: ChainView): Resolved {
  const isFinal = view.finalized !== null && number <= view.finalized.number;
  const finality = ref === REF.latest && !isFinal ? 'head' : isFinal ? 'finalized' : 'unfinalized';
  const hash = view.hashAt(number) || (view.finalized?.number === number ? view.finalized.hash : '');
  return { class: finality, ref, token: '', number, bottom: -1, hash };
}

/** A range is as final as its upper end, and stands and falls with it. Without a lower end, clients differ. */
function rangeOf(reader: KeyReader, view: ChainView): Resolved {
  const { from, block } = reader;
  const topKind = block.kind === REF.absent ? REF.latest : block.kind;
  // a tag at the lower end alone would be each node's own
  const bottom = from.kind !== REF.number && topKind === REF.number ? -1 : heightOf(from.kind, from, view);
  const top = heightOf(topKind, block, view);
  if (bottom < 0 || top < bottom || top > (view.head?.number ?? view.finalized?.number ?? -1)) return made('never', topKind, '', null);
  return { ...atHeight(top, topKind, view), bottom, token: `#${bottom}-${top}` };
}
