import type { BlockMark } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import { carriedBlock, heightOfWord } from './carried.ts';
import type { Bond, StoredClass } from './entry.ts';
import { REF } from './ref.ts';
import type { CallAsk } from './rule.ts';

/** A node's answer, split: its result, or its error object, is at `[start, end)` of the body. */
export interface Told {
  readonly body: Buffer;
  readonly start: number;
  readonly end: number;
  readonly isNull: boolean;
  /** A revert: an error, but the chain's own word. Other errors are not offered. */
  readonly isError: boolean;
}

/** What is known of the node that answered. */
export interface Evidence {
  /** It was asked by block hash. */
  readonly byHash: boolean;
  /** Highest height at which its word equalled the trusted chain, as known when it was asked. */
  readonly agreedBefore: number;
  /** The same as known now. */
  readonly agreedAfter: number;
  /** Trusted head when it was asked. */
  readonly head: BlockMark | null;
}

/**
 * `now`: it may be stored. `confirm`: it may once the node has said, after this answer, that its block at `number` has
 * `hash`. `no`: it may not.
 */
export interface Verdict {
  readonly when: 'now' | 'confirm' | 'no';
  readonly bond: Bond;
  readonly class: StoredClass;
  readonly number: number;
  readonly hash: string;
}

const NO: Verdict = { when: 'no', bond: 'static', class: 'static', number: -1, hash: '' };

/** Whether, and bound to what, an answer may be stored. In doubt it may not. */
export function admit(ask: CallAsk, told: Told, evidence: Evidence, view: ChainView): Verdict {
  const { plan } = ask;
  if (ask.class === 'never') return NO;
  if (told.isNull && plan.nullIsAbsence) return plan.isPooled ? NO : atHead(evidence, view);
  if (ask.class === 'static') return told.isNull || told.isError ? NO : { ...NO, when: 'now' };
  if (plan.rule === 'head') return ofHead(told, evidence, view, ask);
  const isMute = told.isError || told.isNull || (plan.isRange && ask.ref !== REF.hash);
  const carried = isMute ? 'none' : carriedBlock(told.body, told.start, plan.shape);
  if (carried === 'bad') return NO;
  if (plan.rule === 'byAnswer') return carried === 'none' ? NO : ofBlock(carried, evidence, view);
  if (ask.ref === REF.hash) return ofHash(ask.hash, carried, evidence, view);
  if (carried === 'none') return byEvidence(ask, evidence, view);
  return carried.number === ask.number ? ofBlock(carried, evidence, view) : NO;
}

/** What holds until the next head: the node must have been at this one, before and after. */
function atHead({ head, agreedBefore }: Evidence, view: ChainView): Verdict {
  if (head === null || view.head?.hash !== head.hash || agreedBefore < head.number) return NO;
  return { when: 'confirm', bond: 'head', class: 'head', number: head.number, hash: head.hash };
}

function ofHead(told: Told, evidence: Evidence, view: ChainView, ask: CallAsk): Verdict {
  if (told.isNull || told.isError) return NO;
  if (ask.plan.shape === 'height') {
    const height = heightOfWord(told.body.toString('latin1', told.start + 1, told.end - 1));
    if (height !== evidence.head?.number) return NO;
  }
  return atHead(evidence, view);
}

/** An answer that tells its block: that block must be the trusted one. */
function ofBlock(block: BlockMark, evidence: Evidence, view: ChainView): Verdict {
  const isFinal = view.finalized !== null && block.number <= view.finalized.number;
  const trusted = view.hashAt(block.number);
  const agrees = Math.min(evidence.agreedBefore, evidence.agreedAfter) >= block.number;
  const isTrusted = trusted === '' ? isFinal && agrees : trusted === block.hash;
  return isTrusted ? { when: 'now', bond: 'block', class: isFinal ? 'finalized' : 'unfinalized', ...block } : NO;
}

/** A call by block hash: whatever the node's branch, this is the answer for that block. It is kept while the block is the trusted one. */
function ofHash(hash: string, carried: BlockMark | 'none', evidence: Evidence, view: ChainView): Verdict {
  if (carried !== 'none') return carried.hash === hash ? ofBlock(carried, evidence, view) : NO;
  const number = heightOfHash(hash, view);
  return number < 0 ? NO : ofBlock({ number, hash }, evidence, view);
}

/** Height of a trusted block by its hash; -1 = not among those that are known. */
function heightOfHash(hash: string, view: ChainView): number {
  if (view.head === null) return -1;
  for (let number = view.head.number; number >= 0; number--) {
    const known = view.hashAt(number);
    if (known === hash) return number;
    if (known === '' && number < view.head.number - MAX_GAP) return view.finalized?.hash === hash ? view.finalized.number : -1;
  }
  return -1;
}

/** Heights without a known hash that a search passes over. */
const MAX_GAP = 8;

/** An answer that tells no block: it counts if the node was asked by hash, or stood on the trusted branch before and after. */
function byEvidence(ask: CallAsk, evidence: Evidence, view: ChainView): Verdict {
  const { number } = ask;
  const isFinal = view.finalized !== null && number <= view.finalized.number;
  const trusted = view.hashAt(number) || (view.finalized?.number === number ? view.finalized.hash : '');
  if (ask.hash !== '' && trusted !== '' && trusted !== ask.hash) return NO;
  const verdict: Verdict = { when: 'now', bond: 'block', class: isFinal ? 'finalized' : 'unfinalized', number, hash: trusted };
  if (evidence.byHash && trusted !== '') return verdict;
  if (evidence.agreedBefore < number) return NO;
  if (isFinal) return evidence.agreedAfter >= number ? verdict : NO;
  return trusted === '' ? NO : { ...verdict, when: 'confirm' };
}
