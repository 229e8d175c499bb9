import { endOldRun } from './endRun.ts';
import { takeCopy } from './takeCopy.ts';
import type { NodeFacts } from './facts.ts';
import { type Advance, type Around, going } from './next.ts';
import type { Operation } from './operation.ts';
import { lookAtProbation } from './probation.ts';
import { giveUp, refusedStep, stuckStep, undo } from './undo.ts';
import { WELL } from './ailment.ts';
import type { Verdict } from './ailment.ts';

/** An operation that began on a verdict which no longer holds, with nothing done yet that cannot be taken back. */
function recovered(operation: Operation, node: NodeFacts, verdict: Verdict): boolean {
  if (operation.kind === 'stop') return node.wish === 'running';
  if (operation.kind === 'remove') return false;
  // begun on a healthy node: an operator's wish
  if (operation.verdict === 'healthy') return false;
  return operation.kind !== 'start' && operation.kind !== 'readmit' && verdict.kind === 'healthy' && node.process.state === 'running' && node.process.incarnation === operation.incarnation && node.data.swapped !== operation.id;
}

/** Out of service, ended, off the gateway's list, forgotten: in this order, whatever of it is done already. */
function takeAway(operation: Operation, node: NodeFacts, around: Around): Advance {
  if (node.process.state === 'running') return endOldRun({ ...operation, incarnation: node.process.incarnation }, node, around);
  if (node.edge !== null) return going(operation, { kind: 'delist' }, 'nothing of it runs: taking it off the gateway\'s list');
  return going(operation, { kind: 'forget' }, 'it is kept no more');
}

/** Nothing runs: change the data if that is the point, then start. */
function startNewRun(operation: Operation, node: NodeFacts): Advance {
  const replaces = operation.kind === 'restore' || operation.kind === 'resync';
  if (replaces && node.data.swapped !== operation.id) {
    const from = operation.kind === 'restore' ? 'snapshot' : 'empty';
    return going(operation, { kind: 'swap', operationId: operation.id, from }, `putting the ${from === 'snapshot' ? 'restored data' : 'empty data directory'} in place`);
  }
  const start = { kind: 'start', operationId: operation.id } as const;
  if (!operation.hold || node.edge === null || node.edge.cordoned) return going(operation, start, 'starting it');
  const refused = refusedStep(operation, 'cordon');
  // whoever is down for want of a right token serves nobody; the gateway has a probation of its own
  if (refused !== null && operation.kind === 'start') return going({ ...operation, hold: false }, start, `starting it without holding it out, which cannot be done: ${refused}`);
  return going(operation, { kind: 'cordon' }, 'held out of service until it has passed its probation');
}

/** The weight that stands for a share of the configured one: at least 1, so that the least share is some traffic. */
export function weightFor(percent: number, configuredWeight: number): number {
  return configuredWeight === 0 ? 0 : Math.max(1, Math.round((configuredWeight * percent) / 100));
}

const NO_EDGE = 'the edge cannot be asked: it comes back as soon as it can';

/** Sets the share that is due, then lets traffic in. */
function ramp(operation: Operation, { edge }: NodeFacts, percents: readonly number[], why: string): Advance {
  const percent = percents[operation.rampIndex] ?? 100;
  if (edge === null) return going(operation, null, NO_EDGE);
  if (edge.assignedWeight !== weightFor(percent, edge.configuredWeight)) return going(operation, { kind: 'weight', percent }, `${why}: ${percent} % of its weight`);
  if (edge.cordoned) return going(operation, { kind: 'uncordon' }, `${why}: back in service at ${percent} %`);
  return going(operation, null, `at ${percent} % of its weight`);
}

/** Held back by probation: no traffic yet. */
function prove(operation: Operation, node: NodeFacts, verdict: Verdict, around: Around): Advance {
  const look = lookAtProbation(operation.probation, node, verdict, around);
  const next = { ...operation, probation: look.state };
  // a gateway that starts anew has forgotten it; one that serves already is left to, nobody may be there instead
  const isForgotten = operation.hold && node.edge?.cordoned === false && node.edge.state !== 'serving' && node.edge.state !== 'ramping';
  if (isForgotten) return going(next, { kind: 'cordon' }, 'held out of service until it has passed its probation');
  if (look.result === 'going') return going(next, null, look.why);
  if (look.result === 'failed') return giveUp(next, node, look.why, around);
  if (operation.keepCordon) return finish(next, node);
  const { edge } = node;
  // how it stands there is not known: it may be cordoned from before
  if (edge === null) return going(next, null, `${look.why}; ${NO_EDGE}`);
  // one that died on its way back has a part of its weight only
  const isOpen = !operation.hold && !edge.cordoned && edge.assignedWeight === edge.configuredWeight;
  if (isOpen) return finish(next, node);
  return ramp({ ...next, rampIndex: 0, rampedAtMs: around.nowMs }, node, around.options.ramp.percents, look.why);
}

/** The new run goes: probation without traffic, then a share of it after the other. */
function bringBack(operation: Operation, node: NodeFacts, verdict: Verdict, around: Around): Advance {
  const { options, nowMs } = around;
  const { percents, stepMs } = options.ramp;
  if (operation.rampIndex < 0) return prove(operation, node, verdict, around);
  if (!WELL.has(verdict.kind)) return giveUp(operation, node, `it fell ill again while it came back: ${verdict.why}`, around);
  const percent = percents[operation.rampIndex] ?? 100;
  const { edge } = node;
  const isThere = edge !== null && !edge.cordoned && edge.assignedWeight === weightFor(percent, edge.configuredWeight);
  if (!isThere) return ramp(operation, node, percents, 'coming back');
  if (operation.rampIndex >= percents.length - 1) return finish(operation, node);
  if (nowMs - operation.rampedAtMs < stepMs) return going(operation, null, `at ${percent} % of its weight`);
  return ramp({ ...operation, rampIndex: operation.rampIndex + 1, rampedAtMs: nowMs }, node, percents, 'no trouble at this share');
}

/** Everything holds: what was kept for the way back can go. */
function finish(operation: Operation, node: NodeFacts): Advance {
  if (operation.kind === 'capture' && node.copy?.copied !== operation.id) return { operation: null, step: null, outcome: 'failed', why: `back, and nothing is captured: ${node.copy?.failed?.why ?? 'there is no copy'}` };
  const keepsOld = node.data.swapped === operation.id;
  if (keepsOld) return { operation: null, step: { kind: 'discard', operationId: operation.id }, outcome: 'done', why: 'back; the old data can go' };
  return { operation: null, step: null, outcome: 'done', why: 'back' };
}

/** The next step of an operation, from what the world looks like now. */
export function advance(operation: Operation, node: NodeFacts, verdict: Verdict, around: Around): Advance {
  if (node.process.state === 'unknown') return going(operation, null, 'its driver cannot be asked: waiting');
  // records of an older version have none
  if (operation.undo != null) return undo(operation, node, around);
  if (recovered(operation, node, verdict)) return { operation: null, step: node.edge?.cordoned === true && !operation.keepCordon ? { kind: 'uncordon' } : null, outcome: 'dropped', why: `it is well again (${verdict.why}): nothing to do` };
  if (operation.kind === 'stop') return node.process.state === 'running' ? endOldRun({ ...operation, incarnation: node.process.incarnation }, node, around) : { operation: null, step: null, outcome: 'done', why: 'stopped' };
  if (operation.kind === 'remove') return takeAway(operation, node, around);
  if (node.wish !== 'running') return { operation: null, step: null, outcome: 'dropped', why: `it is to be ${node.wish}` };
  const stuck = stuckStep(operation);
  if (stuck !== null) return giveUp(operation, node, stuck, around);
  if (operation.kind === 'restore' && node.data.staged !== operation.id && node.data.swapped !== operation.id) {
    return going(operation, { kind: 'stage', operationId: operation.id, snapshotId: operation.snapshotId ?? '' }, `bringing snapshot ${operation.snapshotId ?? ''} in beside the live data`);
  }
  const copying = operation.kind === 'capture' ? takeCopy(operation, node, verdict, around) : null;
  if (copying !== null) return copying;
  const isOldRun = operation.kind !== 'capture' && node.process.state === 'running' && node.process.incarnation === operation.incarnation;
  if (isOldRun) return endOldRun(operation, node, around);
  if (node.process.state !== 'running') {
    const endedAgain = operation.kind === 'readmit' || (node.process.incarnation !== '' && node.process.incarnation !== operation.incarnation);
    return endedAgain ? giveUp(operation, node, `it ended again: ${verdict.why}`, around) : startNewRun(operation, node);
  }
  return bringBack(operation, node, verdict, around);
}
