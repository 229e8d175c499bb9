import type { FaultKind } from '../../base/fault.ts';
import type { Outcome } from '../outcome.ts';

/**
 * What the client sees when this outcome is the last word on its call: `answer` = the node's own answer, or the fault
 * to answer with instead. `result`, `chain` and `client` pass through as the node's bytes; every other `answer` goes
 * through `scrubMessage` first.
 */
export function surfaceOf(outcome: Outcome): FaultKind | 'answer' {
  switch (outcome.class) {
    case 'result':
    case 'chain':
    case 'client':
    case 'missingData':
    case 'tooLarge':
      return 'answer';
    case 'node':
      return outcome.blame ? 'noUpstream' : 'answer';
    case 'unsupported':
      return 'methodUnsupported';
    case 'badJson':
    case 'wrongId':
      return 'badAnswer';
    case 'timeout':
      return 'deadline';
    case 'transport':
    case 'http':
    case 'throttled':
    case 'auth':
    case 'cancelled':
      return 'noUpstream';
  }
}
