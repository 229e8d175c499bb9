/** What ails a node, with the evidence in `why`. */
export type VerdictKind =
  | 'healthy'
  | 'starting'
  | 'stopped'
  | 'processGone'
  | 'crashLoop'
  | 'badConfig'
  | 'portInUse'
  | 'diskFull'
  | 'versionTooOld'
  | 'dataSuspect'
  | 'dataCorrupt'
  | 'unresponsive'
  | 'stalled'
  | 'lagging'
  | 'forked'
  | 'peerStarved'
  | 'chainHalted'
  | 'networkDown'
  | 'unknown';

export interface Verdict {
  readonly kind: VerdictKind;
  /** One sentence with the evidence. */
  readonly why: string;
}

/** Verdicts that are nobody's to heal here: acting on them could only do harm. */
export const DO_NOTHING: ReadonlySet<VerdictKind> = new Set<VerdictKind>(['healthy', 'starting', 'stopped', 'chainHalted', 'networkDown', 'unknown']);

/** Verdicts that count as well. */
export const WELL: ReadonlySet<VerdictKind> = new Set<VerdictKind>(['healthy', 'starting', 'stopped']);

/**
 * One step of the ladder. `wait` changes nothing, `restart` keeps the data, `resync` and `restore` replace it, `human` is
 * the last.
 */
export type Rung = 'wait' | 'restart' | 'resync' | 'restore' | 'human';
