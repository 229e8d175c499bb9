import type { UpstreamState } from './state.ts';

/** One upstream as the request path sees it. Immutable. */
export interface RouteEntry {
  /** Dense index of the upstream within its chain; stable while it is configured. */
  readonly index: number;
  readonly name: string;
  /** Hash of the name: the upstream's seed in rendezvous hashing. */
  readonly seed: number;
  readonly state: UpstreamState;
  readonly tier: number;
  /** Configured weight × quantised score × ramp; 0 = no client traffic. */
  readonly weight: number;
  /** Last head the node itself told of; -1 when unknown. */
  readonly headNumber: number;
  readonly headHash: string;
  /** What its `web3_clientVersion` says, as known since it last failed a probe; '' = not known. */
  readonly client: string;
  /** Highest height at which its own word equals the trusted chain; all below is the same branch. -1 = none known. */
  readonly agreedNumber: number;
  /** Bits of `1 << capabilityIndex` that the node is known to lack. */
  readonly lacks: number;
  /** Lowest block whose state it has; 0 for archive or unknown. */
  readonly lowestState: number;
  /** Lowest block whose state it has by its config (`archive: false`), as far as its head is known; 0 = nothing is said. */
  readonly stateFloor: number;
  /** 1 at a method's index = never send it there; null = everything may go. */
  readonly denied: Uint8Array | null;
  /** Monotonic ms until which it asked not to be called (429); 0 = not held. */
  readonly heldUntilMs: number;
  /** Most calls of ours that may be in flight there. */
  readonly maxInFlight: number;
  /** Time one attempt may take, from the node's own quantile. */
  readonly attemptTimeoutMs: number;
  /** When to hedge, from the node's own quantile. */
  readonly hedgeDelayMs: number;
}

/** Immutable picture of who serves a chain; swapped whole. */
export interface RouteTable {
  readonly version: number;
  readonly chain: string;
  /** Trusted head; number -1 before the first agreement. */
  readonly trustedNumber: number;
  readonly trustedHash: string;
  readonly finalizedNumber: number;
  /** Judgements are suspended because too few would be left. */
  readonly panic: boolean;
  /** All upstreams, by index; those with weight 0 do not serve. */
  readonly entries: readonly RouteEntry[];
  /** Indices that may serve, of the tier in use, best tier first. */
  readonly serving: readonly number[];
}
