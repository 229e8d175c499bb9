import type { HeadEvent } from '../chain/headsOptions.ts';

/** The last reorg below a block that the nodes had called final. */
export interface FinalityBreak {
  /** How many there were since the start. */
  readonly times: number;
  /** Lowest block that may have changed. */
  readonly fromNumber: number;
  readonly depth: number;
  readonly atMs: number;
}

/** Remembers when finality was broken. */
export class Finality {
  /** Null = never since the start. */
  broken: FinalityBreak | null = null;

  /** @returns from which height on what was stored is void in every process and tier; -1 = nothing is */
  onEvent(event: HeadEvent, nowMs: number): number {
    if (event.kind !== 'reorg' || !event.finalityBroken) return -1;
    const { fromNumber, depth } = event;
    this.broken = { times: (this.broken?.times ?? 0) + 1, fromNumber, depth, atMs: nowMs };
    return fromNumber;
  }
}
