import type { Verdict } from './ailment.ts';
import { endOldRun } from './endRun.ts';
import type { NodeFacts } from './facts.ts';
import { type Advance, type Around, going } from './next.ts';
import type { Operation } from './operation.ts';

const BY_US: ReadonlySet<string> = new Set(['SIGTERM', 'SIGINT', 'SIGQUIT']);
/** What a shell says of a program that ended by SIGINT or SIGTERM. */
const SOFT_CODES: ReadonlySet<number> = new Set([0, 130, 143]);

/** A run that was killed or crashed leaves data that nothing should be restored from; what is not known counts as clean. */
const endedWell = ({ exitCode, signal, oomKilled }: NodeFacts['process']): boolean => !oomKilled && (signal === null || BY_US.has(signal)) && (exitCode === null || SOFT_CODES.has(exitCode));

/** Takes the copy that a snapshot is made of; null when it is taken, or cannot be, and the node is to come back. */
export function takeCopy(operation: Operation, node: NodeFacts, verdict: Verdict, around: Around): Advance | null {
  const { copy, process: run } = node;
  if (copy === undefined || copy.copied === operation.id || copy.failed?.operationId === operation.id) return null;
  const failed = (why: string): Advance => ({ operation: null, step: null, outcome: 'failed', why: `nothing is captured: ${why}` });
  const taking = (from: Operation): Advance => going(from, { kind: 'copy', operationId: operation.id, captureKind: operation.captureKind ?? 'full' }, copy.isLive ? 'no traffic on it any more: taking its state' : 'it ended in its own way: copying its data');
  if (run.state !== 'running') return endedWell(run) && !copy.isLive ? taking(operation) : failed(`its run ended: ${verdict.why}`);
  if (run.incarnation !== operation.incarnation) return failed('it was started anew meanwhile');
  if (verdict.kind !== 'healthy') return failed(verdict.why);
  const leaving = endOldRun(operation, node, around);
  return copy.isLive && leaving.step?.kind === 'stop' ? taking(leaving.operation ?? operation) : leaving;
}
