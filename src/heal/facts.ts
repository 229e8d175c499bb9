/** What runs of a node, as its driver sees it. */
export interface ProcessFacts {
  /** `unknown`: the driver could not look. */
  readonly state: 'absent' | 'running' | 'exited' | 'unknown';
  /** Names this very run (pid and start time, or container and start time), or the last one when it has ended; '' = none known. */
  readonly incarnation: string;
  /** When this run began, Unix ms; -1 = not known. */
  readonly startedAtMs: number;
  /** When the last run ended, Unix ms; -1 = it did not, or not known. */
  readonly endedAtMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly oomKilled: boolean;
}

/** What the last lines of a node's log give away. */
export type LogSign = 'dataCorrupt' | 'portInUse' | 'badConfig' | 'diskFull' | 'versionTooOld';

/** A classified log line; `line` is cut and free of secrets. */
export interface LogEvidence {
  readonly sign: LogSign;
  readonly line: string;
}

/** What the node itself answers. */
export interface RpcFacts {
  /** When it was last asked; -1 = never. */
  readonly askedAtMs: number;
  /** When it last answered; -1 = never in this run. */
  readonly answeredAtMs: number;
  /** -1 = not known. */
  readonly headNumber: number;
  readonly headHash: string;
  /** When its head last went up; -1 = not seen to. */
  readonly headMovedAtMs: number;
  readonly syncing: boolean;
  /** null = it does not tell. */
  readonly peers: number | null;
  /** Its hash at a height below its head differs from the trusted chain's there; -1 = no such height known. */
  readonly forkedAt: number;
}

/** What the edge says of the upstream that the node backs; null in `NodeFacts` when the edge cannot be asked. */
export interface EdgeFacts {
  readonly state: 'serving' | 'ramping' | 'cordoned' | 'ejected' | 'probation' | 'down';
  readonly cordoned: boolean;
  readonly inFlight: number;
  /** Share of traffic as the config has it, and as it was set since. */
  readonly configuredWeight: number;
  readonly assignedWeight: number;
  /** The edge's own words for its judgement. */
  readonly why: string;
}

/** Space where the node's data lies. */
export interface DiskFacts {
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** What a restore under way has left on disk: the operation's id where the step is done. */
export interface DataFacts {
  /** A proof that the data is damaged, in words; null = none. */
  readonly damage: string | null;
  readonly staged: string | null;
  readonly swapped: string | null;
  /** What was there before is kept, whatever is in place now. */
  readonly kept: string | null;
  /** Something that only a restore or resync under way needs lies beside it, or a snapshot is held for one. */
  readonly isLittered?: boolean;
}

/** What a capture under way has of a node: the operation's id where the step is done. */
export interface CopyFacts {
  /** Its state is taken from it while it runs; else its directory is copied while it does not. */
  readonly isLive: boolean;
  readonly copied: string | null;
  readonly failed: { readonly operationId: string; readonly why: string } | null;
}

/** A snapshot of the chain is to be taken. */
export interface CaptureWish {
  /** Null = of whichever node is fit best. */
  readonly node: string | null;
  readonly kind: 'full' | 'incremental';
  readonly why: string;
  /** Where the newest snapshot comes from: another one is taken from first. */
  readonly lastSource: string | null;
}

/** One node, looked at now. */
export interface NodeFacts {
  readonly name: string;
  /** What operators want of it; `removed`: it is to be kept no more. */
  readonly wish: 'running' | 'stopped' | 'removed';
  readonly paused: boolean;
  readonly process: ProcessFacts;
  /** Of the newest run; null = nothing telling. */
  readonly log: LogEvidence | null;
  readonly rpc: RpcFacts;
  readonly edge: EdgeFacts | null;
  readonly disk: DiskFacts | null;
  readonly data: DataFacts;
  readonly canResync: boolean;
  /** Absent where nothing can be captured. */
  readonly copy?: CopyFacts;
}

/** A snapshot fit for a chain's nodes; null where none is proven. */
export interface SnapshotFacts {
  readonly id: string;
  readonly headNumber: number;
  readonly sizeBytes: number;
  /** Time a restore of it takes, measured or estimated. */
  readonly restoreMs: number;
}

/** All of one chain, looked at now. */
export interface ChainFacts {
  readonly name: string;
  readonly nodes: readonly NodeFacts[];
  /** Agreed head of the chain; -1 = not known. */
  readonly trustedNumber: number;
  /** When it last moved; -1 = not known. */
  readonly trustedMovedAtMs: number;
  readonly blockTimeMs: number;
  /** The controller's own way out is in doubt: its checks of things that must answer fail. Null = in order. */
  readonly networkFault: string | null;
  readonly snapshot: SnapshotFacts | null;
  readonly paused: boolean;
  /** Null or absent = none is due. */
  readonly capture?: CaptureWish | null;
}
