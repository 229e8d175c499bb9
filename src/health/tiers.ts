/** A tier with a node that can serve. */
export interface TierNode {
  readonly tier: number;
}

/**
 * Picks the tier in use: the best that can serve. One that had the traffic and lost it gets it back only after it could
 * serve for `returnMs`; one that never had it, as at the start, takes it at once.
 */
export class TierSwitch {
  readonly #returnMs: number;
  #current = Number.POSITIVE_INFINITY;
  #betterSinceMs = -1;
  /** Best tier that ever had the traffic. */
  #bestUsed = Number.POSITIVE_INFINITY;

  constructor(returnMs: number) {
    this.#returnMs = returnMs;
  }

  /** The tier in use, given the nodes that can serve now; +Infinity when there are none. */
  choose(nodes: readonly TierNode[], nowMs: number): number {
    let best = Number.POSITIVE_INFINITY;
    let currentHolds = false;
    for (const node of nodes) {
      best = Math.min(best, node.tier);
      if (node.tier === this.#current) currentHolds = true;
    }
    if (!currentHolds || best >= this.#current || best < this.#bestUsed) {
      // An empty table must not end the wait of the better tier, so it is no switch.
      if (nodes.length > 0) this.#current = best;
      this.#bestUsed = Math.min(this.#bestUsed, best);
      this.#betterSinceMs = -1;
      return nodes.length > 0 ? this.#current : Number.POSITIVE_INFINITY;
    }
    if (this.#betterSinceMs < 0) this.#betterSinceMs = nowMs;
    if (nowMs - this.#betterSinceMs >= this.#returnMs) {
      this.#current = best;
      this.#betterSinceMs = -1;
    }
    return this.#current;
  }
}
