import type { OperationKind } from './operation.ts';
import type { HealOptions } from './options.ts';

const s = (ms: number): string => `${ms / 1000} s`;

/** The row of steps of an operation, in words: what an operator is shown before it is begun. */
export function rowOf(kind: OperationKind, options: HealOptions): readonly string[] {
  const { samples, newBlocks, timeoutMs } = options.probation;
  const { percents, stepMs } = options.ramp;
  const out = ['cordon it at the gateway', `wait until no call is under way on it, ${s(options.drainTimeoutMs)} at most`, 'stop it, with its grace'];
  const back = [`probation without traffic: ${samples} good looks in a row and ${newBlocks} new blocks within ${s(timeoutMs)}`, `traffic back at ${percents.join(', ')} % of its weight, ${s(stepMs)} each`];
  switch (kind) {
    case 'start':
      return ['hold it out of service where others serve', 'start it', ...back];
    case 'restart':
      return [...out, 'start it', ...back];
    case 'restore':
      return ['bring the snapshot in beside its data', ...out, 'put the restored data in place', 'start it', ...back, 'let the old data go'];
    case 'resync':
      return [...out, 'put an empty data directory in place', 'start it', ...back, 'let the old data go'];
    case 'readmit':
      return back;
    case 'stop':
      return out;
    case 'capture':
      return [...out.slice(0, 2), 'take its state, or stop it and copy its data', 'start it where it was stopped', ...back];
    case 'remove':
      return [...out, "take it off the gateway's list", 'forget it'];
  }
}
