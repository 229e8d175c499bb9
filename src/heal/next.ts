import type { ChainFacts } from './facts.ts';
import type { Operation, Step } from './operation.ts';
import type { HealOptions } from './options.ts';

/** What comes next in an operation. `operation` null: it is over, well or not. */
export interface Advance {
  readonly operation: Operation | null;
  readonly step: Step | null;
  readonly outcome: 'going' | 'done' | 'failed' | 'dropped';
  readonly why: string;
}

/** What an operation goes on in. */
export interface Around {
  readonly chain: ChainFacts;
  readonly options: HealOptions;
  readonly nowMs: number;
}

/** It goes on, with this step next. */
export const going = (operation: Operation, step: Step | null, why: string): Advance => ({ operation, step, outcome: 'going', why });
