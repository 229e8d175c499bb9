import type { SampleCounts } from '../proof/sample.ts';
import type { Segment } from '../proof/segment.ts';
import type { Leaf } from '../snapshot/leaves.ts';

/** Where the bytes of a chunk lie: an object of a store, or a part of a file. */
export interface Place {
  readonly path: string;
  readonly offset: number;
  readonly storedBytes: number;
  /** Name in messages, such as `object 12ab….raw`. */
  readonly name: string;
}

/** A leaf with the place of its chunk; null for the leaf of a file itself. */
export interface PlacedLeaf {
  readonly leaf: Leaf;
  readonly place: Place | null;
}

/** Hashes the chunks of a run of leaves, which is a subtree. */
export interface ChunksJob {
  readonly kind: 'chunks';
  readonly leaves: readonly PlacedLeaf[];
}

export interface ChunksResult {
  /** Top of the subtree over what was really read. */
  readonly top: Uint8Array;
  readonly bytes: number;
  readonly problems: readonly string[];
}

/** Proves a run of captured blocks, one JSON text per line. */
export interface BlocksJob {
  readonly kind: 'blocks';
  readonly bytes: Uint8Array;
  readonly wanted: readonly number[];
  readonly statusFromBlock: number;
}

/** Proves samples of the state, one JSON text per line. */
export interface StateJob {
  readonly kind: 'state';
  readonly bytes: Uint8Array;
  readonly stateRoot: string;
  /** Number of the first line, for messages. */
  readonly firstLine: number;
}

export interface StateResult {
  readonly counts: SampleCounts;
  /** Accounts of the samples that hold, in order. */
  readonly addresses: readonly string[];
  readonly faults: readonly { readonly verdict: 'failed' | 'unsupported' | 'notProvable'; readonly where: string; readonly message: string }[];
}

/** A job and what comes of it. */
export interface JobResults {
  readonly chunks: ChunksResult;
  readonly blocks: Segment;
  readonly state: StateResult;
}

export type Job = ChunksJob | BlocksJob | StateJob;

/** How many faults of a job are told. */
export const MAX_FAULTS = 20;
