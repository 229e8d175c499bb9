import type { ProofFault } from './fault.ts';

/** Levels that blocks are proven to. */
export type BlockLevel = 'L3' | 'L4' | 'L5';

/** Something found in one block. */
export interface BlockFault {
  readonly level: BlockLevel;
  readonly verdict: ProofFault['verdict'];
  /** Such as `block 12: transactions[3].hash`. */
  readonly where: string;
  readonly message: string;
}

/** Faults, of each level and verdict the first ones: many of one kind do not hide one of another. */
export class FaultList {
  readonly kept: BlockFault[] = [];
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  /** @param most how many of a kind are kept */
  constructor(most: number) {
    this.#most = most;
  }

  add(fault: BlockFault): void {
    const kind = `${fault.level} ${fault.verdict}`;
    const count = this.#counts.get(kind) ?? 0;
    this.#counts.set(kind, count + 1);
    if (count < this.#most) this.kept.push(fault);
  }
}
