import type { VerdictKind } from './ailment.ts';

/** What is done to one node, from the first step to the last. */
export type OperationKind = 'start' | 'restart' | 'resync' | 'restore' | 'readmit' | 'stop' | 'remove' | 'capture';

/** Where in its probation a node is. */
export interface ProbationState {
  /** When the new run began to be watched; -1 = not yet. */
  readonly sinceMs: number;
  readonly goodSamples: number;
  /** When the newest sample that counted was taken. */
  readonly sampledAtMs: number;
  /** Its head when it was first seen in range; -1 = not yet. */
  readonly fromNumber: number;
}

/**
 * An operation under way. It holds what cannot be seen in the world: why, on which run, how far probation and ramp are.
 * Everything else (cordoned, stopped, staged, swapped, running) is looked at anew, so that it can be resumed by anyone.
 */
export interface Operation {
  readonly id: string;
  readonly kind: OperationKind;
  readonly verdict: VerdictKind;
  readonly why: string;
  readonly startedAtMs: number;
  /** The run that is to end, or has; '' when none is known. */
  readonly incarnation: string;
  readonly snapshotId: string | null;
  /** An operator had it cordoned before: it stays so. */
  readonly keepCordon: boolean;
  /** Held out of service until its probation is over; not where nobody else serves: then the edge's own is enough. */
  readonly hold: boolean;
  /** When it was first seen cordoned; -1 = not yet. */
  readonly cordonedAtMs: number;
  readonly probation: ProbationState;
  /** Index into `ramp.percents` that is in force; -1 = not begun. */
  readonly rampIndex: number;
  readonly rampedAtMs: number;
  /** Why what it did to the data is being taken back; null = it is not. */
  readonly undo: string | null;
  /** The step that failed last, how often in a row, and why; null = none did. */
  readonly failure: { readonly step: Step['kind']; readonly count: number; readonly why: string } | null;
  /** Of a capture. */
  readonly captureKind?: 'full' | 'incremental';
}

const NO_PROBATION: ProbationState = { sinceMs: -1, goodSamples: 0, sampledAtMs: -1, fromNumber: -1 };

/** An operation at its beginning. */
export function newOperation(kind: OperationKind, about: Pick<Operation, 'verdict' | 'why' | 'startedAtMs' | 'incarnation' | 'snapshotId' | 'keepCordon' | 'hold' | 'captureKind'>, node: string): Operation {
  return { id: `${kind}-${node}-${about.startedAtMs}`, kind, ...about, cordonedAtMs: -1, probation: NO_PROBATION, rampIndex: -1, rampedAtMs: -1, undo: null, failure: null };
}

/** One idempotent step for the world to take: doing it twice, or when it is done already, changes nothing. */
export type Step =
  | { readonly kind: 'cordon' }
  | { readonly kind: 'stop'; readonly incarnation: string }
  | { readonly kind: 'stage'; readonly operationId: string; readonly snapshotId: string }
  | { readonly kind: 'swap'; readonly operationId: string; readonly from: 'snapshot' | 'empty' }
  | { readonly kind: 'swapBack'; readonly operationId: string }
  | { readonly kind: 'start'; readonly operationId: string }
  | { readonly kind: 'copy'; readonly operationId: string; readonly captureKind: 'full' | 'incremental' }
  | { readonly kind: 'weight'; readonly percent: number }
  | { readonly kind: 'uncordon' }
  | { readonly kind: 'discard'; readonly operationId: string }
  /** Off the gateway's list. */
  | { readonly kind: 'delist' }
  /** The last step of a removal: from then on nobody looks at it. */
  | { readonly kind: 'forget' }
  | { readonly kind: 'callHuman'; readonly verdict: VerdictKind };

/** Steps that can take traffic or data away. What an operator wishes to stop, or what does not run, has neither. */
export function lowers(step: Step, operation: Operation): boolean {
  if (operation.kind === 'stop' || operation.kind === 'start' || operation.kind === 'remove') return false;
  return step.kind === 'cordon' || step.kind === 'stop' || step.kind === 'swap';
}
