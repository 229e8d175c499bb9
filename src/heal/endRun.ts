import type { NodeFacts } from './facts.ts';
import { type Advance, type Around, going } from './next.ts';
import type { Operation } from './operation.ts';

/** The old run still goes: take its traffic away, then end it. */
export function endOldRun(operation: Operation, node: NodeFacts, { options, nowMs }: Around): Advance {
  const { edge } = node;
  if (edge !== null && !edge.cordoned) return going(operation, { kind: 'cordon' }, 'taking it out of service before it is stopped');
  const cordonedAtMs = operation.cordonedAtMs < 0 ? nowMs : operation.cordonedAtMs;
  const cordoned = { ...operation, cordonedAtMs };
  if (edge !== null && edge.inFlight > 0 && nowMs - cordonedAtMs < options.drainTimeoutMs) return going(cordoned, null, `${edge.inFlight} calls are still under way on it`);
  return going(cordoned, { kind: 'stop', incarnation: operation.incarnation }, 'no traffic on it any more: stopping it');
}
