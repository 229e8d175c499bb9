/**
 * A doubt about a node that becomes a verdict only when it lasts: a fork at the tip or a head ahead of the others is
 * normal for a moment. It ends at once when the evidence ends.
 */
export class Doubt {
  #sinceMs = -1;
  #reports = 0;

  /** The node told something new; the doubt needs evidence from two reports. */
  onReport(): void {
    if (this.#sinceMs >= 0) this.#reports++;
  }

  /** True when `seen` has held for `lastMs` and over two reports. */
  judge(seen: boolean, lastMs: number, nowMs: number): boolean {
    if (!seen) {
      this.reset();
      return false;
    }
    if (this.#sinceMs < 0) this.#sinceMs = nowMs;
    return this.#reports >= 2 && nowMs - this.#sinceMs >= lastMs;
  }

  reset(): void {
    this.#sinceMs = -1;
    this.#reports = 0;
  }
}
