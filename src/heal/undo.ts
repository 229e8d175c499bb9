import { endOldRun } from './endRun.ts';
import type { NodeFacts } from './facts.ts';
import type { NodeMemory } from './memory.ts';
import type { Advance, Around } from './next.ts';
import type { Operation, Step } from './operation.ts';

/** Steps that change data or start on it: failing again and again, they end the operation. Others are tried until they come off. */
const BOUNDED: ReadonlySet<Step['kind']> = new Set<Step['kind']>(['stage', 'swap', 'start', 'swapBack']);
const MOST_FAILURES = 3;

/** With a step of the operation under way that failed. */
export function withFailure(memory: NodeMemory, kind: Step['kind'], why: string): NodeMemory {
  const { operation } = memory;
  if (operation === null) return memory;
  const count = operation.failure?.step === kind ? operation.failure.count + 1 : 1;
  return { ...memory, operation: { ...operation, failure: { step: kind, count, why } } };
}

/** With a step of the operation under way that came off. */
export function withoutFailure(memory: NodeMemory, kind: Step['kind']): NodeMemory {
  const { operation } = memory;
  return operation?.failure?.step === kind ? { ...memory, operation: { ...operation, failure: null } } : memory;
}

/** Why a step that is tried until it comes off has not; null = it has not failed so often yet. */
export function refusedStep({ failure }: Operation, kind: Step['kind']): string | null {
  return failure?.step === kind && !BOUNDED.has(kind) && failure.count >= MOST_FAILURES ? failure.why : null;
}

/** Why an operation cannot go on: the same step failed too often; null = it can. */
export function stuckStep({ failure }: Operation): string | null {
  // records of an older version have none
  if (failure == null || !BOUNDED.has(failure.step) || failure.count < MOST_FAILURES) return null;
  return `${failure.step} failed ${failure.count} times: ${failure.why}`;
}

/** The operation is over and has not helped: what it put in the place of the data is taken back first, where it did. */
export function giveUp(operation: Operation, node: NodeFacts, why: string, around: Around): Advance {
  if (node.data.kept !== operation.id) return { operation: null, step: null, outcome: 'failed', why };
  return undo({ ...operation, undo: why, failure: null }, node, around);
}

/** Ends the new run and puts the old data back. The node stays out of service: what comes next is another operation's. */
export function undo(operation: Operation, node: NodeFacts, around: Around): Advance {
  const { undo: why, id } = operation;
  const stuck = stuckStep(operation);
  if (stuck !== null) return { operation: null, step: null, outcome: 'failed', why: `${why}; its old data is not back in place: ${stuck}` };
  if (node.process.state === 'running') return endOldRun({ ...operation, incarnation: node.process.incarnation }, node, around);
  if (node.data.kept === id) return { operation, step: { kind: 'swapBack', operationId: id }, outcome: 'going', why: `${why}: putting its old data back` };
  return { operation: null, step: null, outcome: 'failed', why: `${why}; its old data is back in place` };
}
