import { type BlockCounts, type BlockLine, BlockProver, type Hashes } from './blockLine.ts';
import { ProofFault } from './fault.ts';
import { type BlockFault, FaultList } from './faultList.ts';
import { checkLink, type Header } from './header.ts';

/** A header that was asked for by its number. */
export interface Wanted {
  readonly number: number;
  readonly hash: string;
  readonly stateRoot: string;
  readonly timestampS: number;
}

/** A run of blocks that was proven by itself. */
export interface Segment {
  /** null when it holds no good header. */
  readonly first: Header | null;
  readonly last: Header | null;
  readonly counts: BlockCounts;
  readonly faults: readonly BlockFault[];
  readonly wanted: readonly Wanted[];
}

/** What to look for. */
export interface SegmentOptions {
  readonly wanted: readonly number[];
  /** Most faults of each level and verdict that are told. */
  readonly maxFaults: number;
  /** First block whose receipts hold a status. */
  readonly statusFromBlock: number;
}

const linkFault = (error: unknown, number: number): BlockFault => {
  if (!(error instanceof ProofFault)) throw error;
  return { level: 'L3', verdict: error.verdict, where: `block ${number}: ${error.field}`, message: error.message };
};

/** The fault of a header that does not stand behind another; null when it does. */
export function linkBetween(parent: Header, child: Header): BlockFault | null {
  try {
    checkLink(parent, child);
    return null;
  } catch (error) {
    return linkFault(error, child.number);
  }
}

/** Proves a run of blocks: each by itself, and that each stands behind the one before. */
export function proveSegment(hashes: Hashes, lines: Iterable<BlockLine>, { wanted, maxFaults, statusFromBlock }: SegmentOptions): Segment {
  const faults = new FaultList(maxFaults);
  const prover = new BlockProver({ hashes, faults, statusFromBlock });
  const numbers = new Set(wanted);
  const found: Wanted[] = [];
  let first: Header | null = null;
  let last: Header | null = null;
  for (const line of lines) {
    const header = prover.prove(line);
    if (header === null) continue;
    const link = last === null ? null : linkBetween(last, header);
    if (link !== null) faults.add(link);
    first ??= header;
    last = header;
    if (numbers.has(header.number)) found.push({ number: header.number, hash: header.hash, stateRoot: String(line.block['stateRoot']).toLowerCase(), timestampS: header.timestampS });
  }
  return { first, last, counts: prover.counts, faults: faults.kept, wanted: found };
}
