/** `chains[].health` of config/reference.yaml, times in ms; the trusted head's part is `HeadOptions`. */
export interface HealthOptions {
  /** 0 = clamp(block time / 2, 250, 5000). */
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
  /** Refused, timed-out or bad probes in a row until a node is down; one is enough after a failed call. */
  readonly downAfter: number;
  /** Good probes in a row until a node that was down is on probation. */
  readonly upAfter: number;
  /** `maxMs` 0 = max(2 block times, 5 s). */
  readonly lag: { readonly maxBlocks: number; readonly maxMs: number; readonly returnBlocks: number; readonly tolerance: number };
  readonly failures: { readonly rate: number; readonly minSamples: number; readonly windowMs: number };
  readonly latency: { readonly factor: number; readonly minMs: number; readonly minSamples: number };
  readonly ejection: { readonly baseMs: number; readonly maxMs: number; readonly maxShare: number; readonly panicShare: number };
  readonly ramp: { readonly durationMs: number; readonly minShare: number };
  readonly probation: { readonly samples: number };
}

/** The parts of `chains[].routing` that follow from a node's measured latency, and the tiers' hysteresis. */
export interface PaceOptions {
  readonly attemptTimeout: { readonly quantile: number; readonly factor: number; readonly minMs: number; readonly maxMs: number };
  readonly hedge: { readonly enabled: boolean; readonly quantile: number; readonly factor: number; readonly minMs: number; readonly maxMs: number };
  /** How long a better tier must be able to serve before it gets the traffic back. */
  readonly tierReturnMs: number;
}

/** What is configured about one upstream, as far as health and routing tables need it. */
export interface JudgedUpstream {
  readonly name: string;
  readonly weight: number;
  readonly tier: number;
  readonly maxInFlight: number;
  /** Bits of `1 << capabilityIndex` declared as absent. */
  readonly lacks: number;
  /** How many of its newest blocks it has the state of, the head among them; 0 = all, or nobody knows. */
  readonly stateBlocks: number;
  /** 1 at a method's index = never send it there; null = everything may go. */
  readonly denied: Uint8Array | null;
}
