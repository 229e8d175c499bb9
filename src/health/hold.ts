import type { Random } from '../base/random.ts';

const FIRST_MS = 1000;
const LONGEST_MS = 60_000;
/** Longest `Retry-After` that is obeyed: an hour. A node that asks for more is asked again then. */
const LONGEST_ASKED_MS = 3_600_000;

/** How long a node that said 429 is left alone; it is not ill for that. */
export class ThrottleHold {
  #untilMs = 0;
  #nextMs = FIRST_MS;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * The node throttled a call. Calls that were under way when a hold began do not lengthen it, except by a longer `Retry-After`.
   * @param retryAfterMs what the node asked for, 0 = nothing: then 1 s, doubling to 60 s, plus up to a fifth at random
   */
  onThrottled(retryAfterMs: number, nowMs: number): void {
    const asked = Math.min(retryAfterMs, LONGEST_ASKED_MS);
    if (nowMs < this.#untilMs) {
      this.#untilMs = Math.max(this.#untilMs, nowMs + asked);
      return;
    }
    const ownMs = this.#nextMs * (1 + 0.2 * this.#random());
    this.#nextMs = Math.min(2 * this.#nextMs, LONGEST_MS);
    this.#untilMs = nowMs + Math.max(asked, asked > 0 ? 0 : ownMs);
  }

  /** The node answered a call that was sent after the hold: the next hold starts short again. */
  onAnswered(nowMs: number): void {
    if (nowMs >= this.#untilMs) this.#nextMs = FIRST_MS;
  }

  /** Monotonic ms until which it is left alone; 0 = not at all. */
  untilMs(nowMs: number): number {
    return nowMs < this.#untilMs ? this.#untilMs : 0;
  }
}
