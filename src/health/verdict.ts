import type { HeadTracker } from '../chain/heads.ts';
import type { NodeHealth } from './node.ts';
import type { HealthOptions } from './options.ts';
import type { Verdict } from './eject.ts';
import { isLatencyOutlier, median } from './outlier.ts';
import { quantizeScore, rawScore } from './score.ts';

/** Medians of the nodes with enough calls, by index. */
export type Medians = ReadonlyMap<number, number>;

export function gatherMedians(nodes: readonly NodeHealth[], minSamples: number): Medians {
  const medians = new Map<number, number>();
  for (const node of nodes) {
    if (!node.removed && node.latency.count >= minSamples) medians.set(node.index, node.latency.quantile(0.5));
  }
  return medians;
}

const peersOf = (index: number, medians: Medians): number[] => [...medians].filter(([peer]) => peer !== index).map(([, ms]) => ms);

/** Brings the watches of one node up to now: lag, fork, head ahead of everybody. */
export function watchTip(node: NodeHealth, heads: HeadTracker, maxMs: number, nowMs: number): void {
  const head = heads.headOf(node.index);
  const trusted = heads.trusted();
  const trustedNumber = trusted?.number ?? -1;
  node.lag.judge({ trustedNumber, passedAtMs: heads.reachedAtMs((head?.number ?? -1) + 1), maxMs }, nowMs);
}

/** The gravest thing that speaks against a node; null = nothing. A node on another chain is dealt with elsewhere. */
export function judgeNode(node: NodeHealth, heads: HeadTracker, view: { readonly options: HealthOptions; readonly medians: Medians }, nowMs: number): Verdict | null {
  const head = heads.headOf(node.index);
  const number = head?.number ?? -1;
  const lastMs = heads.stallMs;
  const lying = node.ahead.judge(number > heads.ceiling(nowMs), lastMs, nowMs);
  const forked = node.fork.judge(heads.forkedAt(node.index) >= 0, lastMs, nowMs);
  if (lying) return { reason: 'lying-head', extent: number };
  if (forked) return { reason: 'fork', extent: 0 };
  if (node.syncing && node.lag.blocks > view.options.lag.returnBlocks) return { reason: 'syncing', extent: node.lag.blocks };
  if (node.lag.verdict !== null) return { reason: node.lag.verdict, extent: node.lag.blocks };
  const rate = node.failureRate(nowMs);
  if (rate > 0 && rate >= view.options.failures.rate) return { reason: 'failures', extent: rate };
  const own = { medianMs: view.medians.get(node.index) ?? 0, samples: node.latency.count };
  if (isLatencyOutlier(own, peersOf(node.index, view.medians), view.options.latency)) return { reason: 'latency', extent: own.medianMs };
  return null;
}

/** Renews the node's quantised score. */
export function scoreNode(node: NodeHealth, view: { readonly options: HealthOptions; readonly medians: Medians; readonly blockTimeMs: number }, nowMs: number): void {
  const own = view.medians.get(node.index) ?? 0;
  const peers = median(peersOf(node.index, view.medians));
  const raw = rawScore({
    failureRate: node.failureRate(nowMs),
    latencyRatio: own > 0 && peers > 0 ? own / peers : 1,
    lagBlocks: node.lag.blocks - view.options.lag.tolerance,
    arrivalMs: node.arrival.meanMs(nowMs),
    blockTimeMs: view.blockTimeMs,
    throttled: node.hold.untilMs(nowMs) > 0,
  });
  node.score = quantizeScore(raw, node.score);
}
