import type { ChainView } from '../chain/view.ts';
import type { CallAsk, FinalityClass } from './rule.ts';

/** What an answer stands and falls with: nothing, a block, or the head of the moment. */
export type Bond = 'static' | 'block' | 'head';

/** Classes of what is stored. */
export type StoredClass = Exclude<FinalityClass, 'never'>;

/** One stored answer. */
export interface Entry {
  readonly key: string;
  /** The bytes of the result, or of the error object. */
  readonly value: Buffer;
  readonly isError: boolean;
  readonly bond: Bond;
  /** Its block, or the head that it is bound to; -1 for `static`. */
  readonly number: number;
  /** Hash of that block; '' = a final one whose hash was not known. */
  readonly hash: string;
  /** When the node was asked. */
  readonly askedMs: number;
  /** Class when it was stored, for metrics. */
  readonly class: StoredClass;
  /** `web3_clientVersion` of the node that gave it, where other answers may be derived from it; absent = not known. */
  readonly client?: string;
}

/** How long what belongs to the head of the moment may be used, where the block time is not known. */
const HEAD_AGE_MS = 1000;

/** Most time that an answer about "now" is used without a new head: two block times. */
export const headAgeMs = (view: ChainView): number => (view.blockTimeMs > 0 ? 2 * view.blockTimeMs : HEAD_AGE_MS);

/** Whether a block is (still) the trusted one: by its hash, or because it is final and no other hash is known. */
function stands(number: number, hash: string, view: ChainView): boolean {
  const trusted = view.hashAt(number);
  if (trusted !== '' && hash !== '') return trusted === hash;
  return view.finalized !== null && number <= view.finalized.number;
}

/** Whether an entry answers the call, by the chain as it is at this moment. */
export function holds(entry: Entry, ask: CallAsk, view: ChainView, nowMs: number): boolean {
  if (entry.bond === 'static') return true;
  if (entry.bond === 'head') return view.head !== null && view.head.hash === entry.hash && nowMs - entry.askedMs <= headAgeMs(view);
  if (!stands(entry.number, entry.hash, view)) return false;
  return ask.class !== 'head' || nowMs - entry.askedMs <= headAgeMs(view);
}

/** After a reorg: whether the block that an entry was bound to was replaced. A head that was merely passed was not. */
export const isReplaced = (entry: Entry, view: ChainView): boolean =>
  entry.bond === 'head' ? view.hashAt(entry.number) !== entry.hash : entry.bond === 'block' && !stands(entry.number, entry.hash, view);

/** Whether an entry that does not hold is of no use any more to whoever sees the chain so far. */
export const isPast = (entry: Entry, view: ChainView): boolean => {
  const top = view.head?.number ?? -1;
  return entry.bond === 'head' ? entry.number < top : entry.number <= top && isReplaced(entry, view);
};
