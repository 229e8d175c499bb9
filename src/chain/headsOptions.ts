/** Settings of the trusted head; the names are those of `health.trustedHead` in config/reference.yaml, and `blockTimeMs` the chain's. */
export interface HeadOptions {
  /** Nodes that must agree; `auto` = a majority of those that answer. A number is capped by how many answer. */
  readonly quorum: 'auto' | number;
  /** Blocks that the trusted head may go up at once beyond what the time since its last step explains. */
  readonly maxStep: number;
  /** Blocks below the head whose hashes are remembered, and the deepest reorg that is followed by hash. At least 2. */
  readonly reorgDepth: number;
  /** Blocks below the head at which a block counts as final where no node tells; 0 or absent = none does. */
  readonly finalityDepth?: number;
  /** Block time in ms; 0 = measured. */
  readonly blockTimeMs: number;
}

/** What happened to the trusted head. */
export type HeadEvent =
  | { readonly kind: 'advanced'; readonly number: number; readonly hash: string }
  /**
   * Blocks from `fromNumber` up may have changed: answers about them are void. `depth` counts the blocks proven gone,
   * `oldHashes` are the trusted ones from `fromNumber` up, lowest first. `finalityBroken`: a block called final went too.
   */
  | {
      readonly kind: 'reorg';
      readonly fromNumber: number;
      readonly depth: number;
      readonly oldHashes: readonly string[];
      readonly number: number;
      readonly hash: string;
      readonly finalityBroken: boolean;
    }
  | { readonly kind: 'finalized'; readonly number: number; readonly hash: string }
  /** Nobody advances; ejects nobody. */
  | { readonly kind: 'halted'; readonly number: number; readonly sinceMs: number }
  | { readonly kind: 'resumed'; readonly number: number };
