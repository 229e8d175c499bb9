import { inPanic } from './eject.ts';
import type { NodeHealth } from './node.ts';
import type { HealthOptions } from './options.ts';
import type { Service } from './picture.ts';
import type { TierSwitch } from './tiers.ts';

/** Counts for panic: configured, tried, not cordoned, on the chain. */
const counts = (node: NodeHealth): boolean => !node.removed && node.probed && node.machine.state !== 'cordoned' && !node.wrongChain;

/**
 * Who serves now: the serving and ramping nodes of the tier in use, fittest first. In panic, after them, every node of
 * that tier that answered its last probe, whatever is thought of it. Cordoned nodes never, nodes on another chain never.
 */
export function decideService(nodes: readonly NodeHealth[], tiers: TierSwitch, options: HealthOptions['ejection'], nowMs: number): Service {
  const eligible = nodes.filter(counts);
  const able = eligible.filter((node) => node.machine.serves && node.weight > 0);
  const panic = inPanic(able.length, eligible.length, options);
  const last = panic ? eligible.filter((node) => !node.machine.serves && node.answers && node.weight > 0) : [];
  // A tier with only judged nodes does not take the traffic from a lower one with sound ones.
  const tier = able.length > 0 ? tiers.choose(able.map((node) => node.upstream), nowMs) : Math.min(...last.map((node) => node.upstream.tier));
  const byFitness = (a: NodeHealth, b: NodeHealth): number => b.score - a.score || a.index - b.index;
  const byLag = (a: NodeHealth, b: NodeHealth): number => a.lag.blocks - b.lag.blocks || byFitness(a, b);
  const ofTier = (node: NodeHealth): boolean => node.upstream.tier === tier;
  const serving = [...able.filter(ofTier).sort(byFitness), ...last.filter(ofTier).sort(byLag)];
  return { serving: serving.map((node) => node.index), panic };
}
