import { monitorEventLoopDelay } from 'node:perf_hooks';

/** Delays of this thread's event loop beyond the resolution of the sampling. */
export function watchLoop() {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const beyond = (ns) => Math.max(0, ns / 1e6 - 1);
  return {
    end: () => {
      histogram.disable();
      return { p99Ms: beyond(histogram.percentile(99)), maxMs: beyond(histogram.max) };
    },
  };
}
