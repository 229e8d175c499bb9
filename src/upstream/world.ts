import type { Clock, Timers } from '../base/clock.ts';

/** Time, as every client in this folder takes it. */
export interface World {
  readonly clock: Clock;
  readonly timers: Timers;
}
