import type { ChainFacts, NodeFacts } from './facts.ts';
import type { ProbationState } from './operation.ts';
import type { HealOptions } from './options.ts';
import type { Verdict } from './ailment.ts';

export interface ProbationLook {
  readonly state: ProbationState;
  readonly result: 'going' | 'passed' | 'failed';
  readonly why: string;
}

/**
 * One look at a node that is back but gets no traffic: `samples` good looks in a row, each at a new answer, in range and
 * with the chain's hashes, and `newBlocks` blocks taken by itself since the first of them. A chain that makes no blocks
 * asks for none.
 */
export function lookAtProbation(state: ProbationState, node: NodeFacts, verdict: Verdict, around: { readonly chain: ChainFacts; readonly options: HealOptions; readonly nowMs: number }): ProbationLook {
  const { samples, newBlocks, timeoutMs } = around.options.probation;
  const { nowMs } = around;
  const sinceMs = state.sinceMs < 0 ? nowMs : state.sinceMs;
  const begun = { ...state, sinceMs };
  const late = nowMs - sinceMs >= timeoutMs;
  if (verdict.kind !== 'healthy') {
    const clean = { ...begun, goodSamples: 0, fromNumber: -1 };
    if (late) return { state: clean, result: 'failed', why: `probation failed after ${Math.round((nowMs - sinceMs) / 1000)} s: ${verdict.why}` };
    return { state: clean, result: 'going', why: `probation: ${verdict.why}` };
  }
  if (node.rpc.askedAtMs <= state.sampledAtMs) return { state: begun, result: 'going', why: 'probation: waiting for a new sample' };
  const fromNumber = state.fromNumber < 0 ? node.rpc.headNumber : state.fromNumber;
  const next = { sinceMs, goodSamples: state.goodSamples + 1, sampledAtMs: node.rpc.askedAtMs, fromNumber };
  const taken = node.rpc.headNumber - fromNumber;
  const halted = nowMs - around.chain.trustedMovedAtMs > Math.max(around.options.stallMs, 4 * around.chain.blockTimeMs);
  const enough = next.goodSamples >= samples && (taken >= newBlocks || halted);
  if (enough) return { state: next, result: 'passed', why: `probation passed: ${next.goodSamples} good looks, ${taken} new blocks` };
  if (late) return { state: next, result: 'failed', why: `probation timed out: ${next.goodSamples} good looks, ${taken} of ${newBlocks} new blocks` };
  return { state: next, result: 'going', why: `probation: ${next.goodSamples} of ${samples} good looks, ${taken} of ${newBlocks} new blocks` };
}
