import type { HealthOptions } from './options.ts';

/** Median of some numbers; 0 for none. For an even count, the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/**
 * True when a node's median latency is over `minMs` and `factor` times the median of its peers'.
 * @param own the node's median latency in ms and how many calls it stands for
 * @param peersMs medians of the other nodes that have `minSamples` calls; none = no outlier
 */
export function isLatencyOutlier(own: { readonly medianMs: number; readonly samples: number }, peersMs: readonly number[], options: HealthOptions['latency']): boolean {
  if (own.samples < options.minSamples || peersMs.length === 0) return false;
  return own.medianMs > options.minMs && own.medianMs > options.factor * median(peersMs);
}
