import type { HealthOptions } from './options.ts';
import type { StateReason } from './state.ts';

/** What can be judged of a node that answers, gravest first: when too many are judged, these stay out before those below. */
const GRAVITY: readonly StateReason[] = ['lying-head', 'fork', 'syncing', 'lag', 'stalled', 'failures', 'latency'];

/** Facts that pass by themselves: the node returns as soon as they do, its first ejection has no minimum time. */
const PASSING: ReadonlySet<StateReason> = new Set(['fork', 'syncing', 'lag', 'stalled', 'wrong-chain']);

export const passes = (reason: StateReason): boolean => PASSING.has(reason);

/** Judged from counted calls, which stop with the ejection: after its time the node is tried again, with a clean record. */
export const isCounted = (reason: StateReason): boolean => reason === 'failures' || reason === 'latency';

/** What speaks against a node that answers. */
export interface Verdict {
  readonly reason: StateReason;
  /** Blocks behind, failure rate, ms: more is worse. */
  readonly extent: number;
}

/** One node before the limit. */
export interface Accused extends Verdict {
  readonly index: number;
}

/**
 * Whom of the accused to eject now. The limit is for judgements only: nodes that are down are out anyway, and a node on
 * another chain is not brought before this court.
 * @param answering nodes that answer their probes, are on the chain and not cordoned
 * @param out how many of those are out of service already
 */
export function chooseEjected(accused: readonly Accused[], answering: number, out: number, options: HealthOptions['ejection']): Accused[] {
  const share = Math.floor(answering * options.maxShare);
  // Of two or more one may always go, and one must always stay.
  const limit = Math.min(answering - 1, Math.max(share, answering > 1 && options.maxShare > 0 ? 1 : 0));
  const sorted = [...accused].sort((a, b) => GRAVITY.indexOf(a.reason) - GRAVITY.indexOf(b.reason) || b.extent - a.extent || a.index - b.index);
  return sorted.slice(0, Math.max(0, limit - out));
}

/**
 * Panic: so few of the nodes serve that judgements are suspended and every node that answers serves.
 * A node on another chain never does: a wrong answer is worse than none.
 * @param serving nodes in service
 * @param total nodes that could be: configured, tried, not cordoned, on the chain
 */
export function inPanic(serving: number, total: number, options: HealthOptions['ejection']): boolean {
  return total > 0 && (serving === 0 || serving / total < options.panicShare);
}
