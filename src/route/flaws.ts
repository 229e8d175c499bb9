import { CAPABILITY_BITS } from '../chain/method.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { LoadBook } from './loadBook.ts';
import type { RouteEntry } from './table.ts';

/** What one call asks of a node, beside its method. Mutable, so that a shell can keep one and refill it. */
export interface RankAsk {
  /** Affinity key of the call; for affinity `none` a fresh random 32-bit number. */
  keyHash: number;
  /** False for affinity `none`: of the first two nodes the less loaded one goes first. */
  affine: boolean;
  nowMs: number;
  /** Lowest head a node must have told of; -1 = any. */
  requiredBlock: number;
  /** Lowest height at which a node's word must equal the trusted chain's; -1 = any. */
  trustedBlock: number;
  /** Hash of a head that is not trusted yet: whoever has it is at `trustedBlock` too; '' = none. */
  racedHash: string;
  /** Block whose state the call reads; -1 = none or unknown. */
  stateBlock: number;
}

/** Why a node is left out of a call, as bits. The first four and the last are firm, the others yield when nobody else is left. */
export const FLAW = {
  /** Its weight is 0: its state allows no traffic. */
  state: 1,
  /** Its config, or what was learnt, denies the method. */
  denied: 2,
  /** It lacks the capability that the method needs. */
  capability: 4,
  /** As many calls are in flight there as `maxInFlight` allows. */
  full: 8,
  /** It asked not to be called for a while. */
  held: 16,
  /** It has not reached the block that the call needs, or is on another branch there. */
  behind: 32,
  /** It no longer has the state of the block asked for. */
  pruned: 64,
  /** Its budget is used up for now: it comes after those that have room. */
  budget: 128,
  /** Its config says that it is no archive, and the call reads the state of a block that is too old for it. */
  archive: 256,
} as const;

export type FlawName = keyof typeof FLAW;

/** Flaws that no shortage of nodes makes good. */
export const FIRM_FLAWS = FLAW.state | FLAW.denied | FLAW.capability | FLAW.full | FLAW.archive;

/** Flaws for which the node cannot run the method at all. */
export const INABILITIES = FLAW.denied | FLAW.capability;

/** Everything that speaks against sending this call to this node, as bits of `FLAW`. */
export function flawsOf(entry: RouteEntry, method: MethodSpec, ask: RankAsk, book: LoadBook): number {
  let flaws = 0;
  if (!(entry.weight > 0)) flaws |= FLAW.state;
  if (entry.denied !== null && entry.denied[method.index] === 1) flaws |= FLAW.denied;
  if (method.capability !== null && (entry.lacks & CAPABILITY_BITS[method.capability]) !== 0) flaws |= FLAW.capability;
  if (book.inFlight(entry.index) >= entry.maxInFlight) flaws |= FLAW.full;
  if (entry.heldUntilMs > ask.nowMs) flaws |= FLAW.held;
  // a head that nobody knows yet speaks neither for nor against the node
  if (entry.headNumber >= 0 && entry.headNumber < ask.requiredBlock) flaws |= FLAW.behind;
  if (entry.agreedNumber < ask.trustedBlock && (ask.racedHash === '' || entry.headHash !== ask.racedHash)) flaws |= FLAW.behind;
  if (ask.stateBlock >= 0 && entry.lowestState > ask.stateBlock) flaws |= FLAW.pruned;
  if (method.readsState && ask.stateBlock >= 0 && entry.stateFloor > ask.stateBlock) flaws |= FLAW.archive;
  if (!book.budgets.hasRoom(entry.index, method.weight, ask.nowMs)) flaws |= FLAW.budget;
  return flaws;
}

/**
 * How far a node without firm flaws is from what the call wants: 0 nothing is wrong, 1 held, 2 lacks the data, 3 both.
 * Only nodes of the smallest misfit present are candidates.
 */
export function misfitOf(flaws: number): number {
  return ((flaws & FLAW.held) !== 0 ? 1 : 0) + ((flaws & (FLAW.behind | FLAW.pruned)) !== 0 ? 2 : 0);
}
