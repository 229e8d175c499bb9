import type { Clock } from '../base/clock.ts';
import type { Took } from '../route/sharing.ts';
import type { Began } from './request.ts';

/** How often it is told how busy the process is, ms. */
const LOOK_EVERY_MS = 1;

/** Takes the time of exchanges, and by the way how busy the process is. */
export class Stopwatch {
  private readonly clock: Clock;
  private readonly onIdle: (share: number) => void;
  private looked: Began;

  /** @param onIdle is told what share of its time the process waited for the outside world since it was told last */
  constructor(clock: Clock, onIdle: (share: number) => void) {
    this.clock = clock;
    this.onIdle = onIdle;
    this.looked = this.start();
  }

  start(): Began {
    const nowMs = this.clock.nowMs();
    return { nowMs, idleMs: this.clock.idleMs?.() ?? nowMs };
  }

  stop(began: Began): Took {
    const now = this.start();
    const sinceMs = now.nowMs - this.looked.nowMs;
    if (sinceMs >= LOOK_EVERY_MS) {
      this.onIdle((now.idleMs - this.looked.idleMs) / sinceMs);
      this.looked = now;
    }
    return { wallMs: now.nowMs - began.nowMs, idleMs: now.idleMs - began.idleMs };
  }
}
