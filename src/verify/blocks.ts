import { type BlockCounts, noCounts } from '../proof/blockLine.ts';
import { type BlockFault, FaultList } from '../proof/faultList.ts';
import { linkBetween, type Segment, type Wanted } from '../proof/segment.ts';
import type { Header } from '../proof/header.ts';
import type { FileEntry } from '../snapshot/manifest.ts';
import { MAX_FAULTS } from './jobs.ts';
import { type ReadChunk, slicesOf } from './lines.ts';
import type { VerifyPool } from './pool.ts';

/** What proving all captured blocks came to. */
export interface BlocksOutcome {
  readonly first: Header | null;
  readonly last: Header | null;
  readonly counts: BlockCounts;
  readonly faults: readonly BlockFault[];
  readonly wanted: readonly Wanted[];
}

/** Puts segments that were proven apart together again. */
const joinSegments = (segments: readonly Segment[]): BlocksOutcome => {
  const counts = noCounts();
  const faults = new FaultList(MAX_FAULTS);
  let first: Header | null = null;
  let last: Header | null = null;
  for (const segment of segments) {
    for (const name of Object.keys(counts) as (keyof BlockCounts)[]) counts[name] += segment.counts[name];
    for (const fault of segment.faults) faults.add(fault);
    const link = last === null || segment.first === null ? null : linkBetween(last, segment.first);
    if (link !== null) faults.add(link);
    first ??= segment.first;
    last = segment.last ?? last;
  }
  return { first, last, counts, faults: faults.kept, wanted: segments.flatMap(({ wanted }) => wanted) };
};

export interface BlocksWork {
  readonly pool: VerifyPool;
  readonly read: ReadChunk;
  /** Numbers of headers to give back. */
  readonly wanted: readonly number[];
  /** First block whose receipts hold a status. */
  readonly statusFromBlock: number;
  readonly onHeaders: (headers: number) => void;
  readonly signal?: AbortSignal;
}

/** Proves the blocks of a file in the pool, in slices, several at once. */
export async function proveBlocks(file: FileEntry, { pool, read, wanted, statusFromBlock, onHeaders, signal }: BlocksWork): Promise<BlocksOutcome> {
  const work: Promise<Segment>[] = [];
  let headers = 0;
  for await (const { bytes } of slicesOf(file, read)) {
    await pool.slot();
    const job = pool.run<'blocks'>({ kind: 'blocks', bytes, wanted, statusFromBlock }, signal).then((segment) => {
      headers += segment.counts.headers;
      onHeaders(headers);
      return segment;
    });
    job.catch(() => {});
    work.push(job);
  }
  return joinSegments(await Promise.all(work));
}
