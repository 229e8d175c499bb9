/** One who waits on a `BodyClock`. The clock owns `before`, `after` and `tick`. */
export interface Waiting {
  before: Waiting | null;
  after: Waiting | null;
  tick: number;
  /** Called once when the time is over; it is off the clock by then. */
  onTimeout(): void;
}

const TICKS = 4;

/**
 * One timeout for any number of requests: a list in order of arrival and one timer while it is not empty.
 * Joining and leaving allocate nothing and read no clock. A waiter is called after `timeoutMs` to 1.25 times that.
 */
export class BodyClock {
  readonly #tickMs: number;
  #first: Waiting | null = null;
  #last: Waiting | null = null;
  #tick = 0;
  #timer: NodeJS.Timeout | null = null;

  /** @param timeoutMs at least 4 */
  constructor(timeoutMs: number) {
    this.#tickMs = timeoutMs / TICKS;
  }

  join(waiting: Waiting): void {
    waiting.tick = this.#tick;
    waiting.before = this.#last;
    waiting.after = null;
    if (this.#last === null) this.#first = waiting;
    else this.#last.after = waiting;
    this.#last = waiting;
    this.#timer ??= setTimeout(this.#onTick, this.#tickMs);
  }

  /** Takes one off the list; one who is not on it may call too. */
  leave(waiting: Waiting): void {
    if (waiting.before === null && this.#first !== waiting) return;
    if (waiting.before === null) this.#first = waiting.after;
    else waiting.before.after = waiting.after;
    if (waiting.after === null) this.#last = waiting.before;
    else waiting.after.before = waiting.before;
    waiting.before = waiting.after = null;
  }

  /** Stops the timer; who still waits is never called. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #onTick = (): void => {
    this.#timer = null;
    this.#tick += 1;
    let due = this.#first;
    while (due !== null && this.#tick - due.tick > TICKS) {
      this.leave(due);
      due.onTimeout();
      due = this.#first;
    }
    if (this.#first !== null) this.#timer ??= setTimeout(this.#onTick, this.#tickMs);
  };
}
