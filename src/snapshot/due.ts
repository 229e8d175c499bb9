import type { FileKind, SnapshotBody } from './manifest.ts';

/** How often snapshots are taken. */
export interface CaptureSchedule {
  /** Least time between two snapshots. */
  readonly everyMs: number;
  /** Least time between two full ones, which read every byte anew. */
  readonly fullEveryMs: number;
}

type Past = Pick<SnapshotBody, 'kind' | 'createdAtMs' | 'sequence'>;

/**
 * What is due, or null. A snapshot from the future (the clock was set back) does not hold up the next one.
 * @param past snapshots of the chain in any order
 */
export function captureDue(past: readonly Past[], { everyMs, fullEveryMs }: CaptureSchedule, nowMs: number): SnapshotBody['kind'] | null {
  const ageOf = (list: readonly Past[]): number => {
    const newest = list.toSorted((a, b) => b.sequence - a.sequence)[0];
    if (newest === undefined || newest.createdAtMs > nowMs) return Number.POSITIVE_INFINITY;
    return nowMs - newest.createdAtMs;
  };
  if (ageOf(past.filter(({ kind }) => kind === 'full')) >= fullEveryMs) return 'full';
  return ageOf(past) >= everyMs ? 'incremental' : null;
}

/** How a file is cut: by content where bytes move within it, by place where they do not. */
export function fileKindOf(clientKind: string, path: string): FileKind {
  if (clientKind === 'anvil' || /\.(json|ndjson|rlp|era1?|log)$/.test(path)) return 'stream';
  return /(^|\/)mdbx\.dat$|\.(db|sqlite|mdb)$/.test(path) ? 'paged' : 'immutable';
}
