import type { ChainSnapshotsConfig, SnapshotsConfig } from '../config/schema.ts';
import type { Origins } from '../proof/kin.ts';
import type { SeenFile } from '../store/seen.ts';
import type { SnapshotStore } from '../store/store.ts';

/** A node that can be asked; its URL appears nowhere. */
export interface PeerNode {
  readonly name: string;
  readonly url: string;
}

/** The snapshots of one chain with all that it takes to judge them. */
export interface Vault {
  readonly settings: SnapshotsConfig;
  /** Rules of the chain. */
  readonly rules: ChainSnapshotsConfig;
  /** Name of the chain. */
  readonly chain: string;
  /** Nodes that can be asked for their head. */
  readonly peers: readonly PeerNode[];
  /** What the data of kept nodes is from. */
  readonly origins: Origins;
  readonly store: SnapshotStore;
  readonly seen: SeenFile;
  /** Folder where verifications note how far they are. */
  readonly journalFolder: string;
  readonly nowMs: () => number;
}
