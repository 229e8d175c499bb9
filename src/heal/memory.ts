import type { EdgeFacts } from './facts.ts';
import type { Operation } from './operation.ts';
import type { Rung, VerdictKind } from './ailment.ts';

/** One try of a rung, kept for the ladder, the back-off and the day's budget. */
export interface Attempt {
  /** It brought the node back to full weight: what ails it later begins at the ladder's foot again. */
  readonly helped: boolean;
  readonly rung: Rung;
  readonly verdict: VerdictKind;
  readonly atMs: number;
}

/** What must be remembered of a node between two looks, and over a restart of the controller. Plain data. */
export interface NodeMemory {
  /** What is being done; null = nothing. */
  readonly operation: Operation | null;
  /** Newest last, at most `MAX_ATTEMPTS_KEPT`. */
  readonly attempts: readonly Attempt[];
  /** Since when the same verdict holds. */
  readonly verdict: VerdictKind;
  readonly verdictSinceMs: number;
  /** Short runs in a row, newest end counted once. */
  readonly shortRuns: number;
  readonly lastEndedAtMs: number;
  /** Since when a guard holds back what the ladder asks for; -1 = none does. */
  readonly blockedSinceMs: number;
  /** Why a human was called; null = nobody was. Cleared when the node is well, or by `resume`. */
  readonly human: string | null;
  /** The human was called for what is held back, not because the ladder has ended: it goes on when the guard gives way. */
  readonly goesOn: boolean;
  /** Its cordon is ours: from when it is decided until it is seen gone, whatever becomes of the operation. */
  readonly heldOut: boolean;
  /** Its weight is a part of its own by our doing: from when that is decided until it is seen whole. */
  readonly partWeight: boolean;
}

export const MAX_ATTEMPTS_KEPT = 64;
const DAY_MS = 86_400_000;

/** A node that was never looked at. */
export const BLANK: NodeMemory = { operation: null, attempts: [], verdict: 'unknown', verdictSinceMs: -1, shortRuns: 0, lastEndedAtMs: -1, blockedSinceMs: -1, human: null, goesOn: false, heldOut: false, partWeight: false };

/** What we hold back, as the gateway shows it. While it cannot be asked nothing has changed: a step that was decided may not have been taken. */
export function withEdge(memory: NodeMemory, edge: EdgeFacts | null): NodeMemory {
  if (edge === null) return memory;
  const heldOut = memory.heldOut && edge.cordoned;
  const partWeight = memory.partWeight && edge.assignedWeight !== edge.configuredWeight;
  return heldOut === memory.heldOut && partWeight === memory.partWeight ? memory : { ...memory, heldOut, partWeight };
}

/** Attempts of the last 24 h. */
export function attemptsOfDay(memory: NodeMemory, nowMs: number): readonly Attempt[] {
  return memory.attempts.filter(({ atMs }) => nowMs - atMs < DAY_MS);
}

/** With one more attempt. */
export function withAttempt(memory: NodeMemory, attempt: Attempt): NodeMemory {
  return { ...memory, attempts: [...memory.attempts, attempt].slice(-MAX_ATTEMPTS_KEPT) };
}

/** The newest attempt brought the node back. */
export function withHelp(memory: NodeMemory): NodeMemory {
  const last = memory.attempts.at(-1);
  return last === undefined ? memory : { ...memory, attempts: [...memory.attempts.slice(0, -1), { ...last, helped: true }] };
}
