const MIN_MS = 500;
const MAX_MS = 30_000;

/** When a step that failed may be tried again: a step is due at each look, and most causes take longer to go. */
export class StepBackoff {
  readonly #failed = new Map<string, { readonly step: string; readonly ms: number; readonly untilMs: number }>();

  isDue(node: string, step: string, nowMs: number): boolean {
    const last = this.#failed.get(node);
    return last === undefined || last.step !== step || nowMs >= last.untilMs;
  }

  ended(node: string, step: string, isFailed: boolean, nowMs: number): void {
    if (!isFailed) {
      this.#failed.delete(node);
      return;
    }
    const last = this.#failed.get(node);
    const ms = last?.step === step ? Math.min(MAX_MS, 2 * last.ms) : MIN_MS;
    this.#failed.set(node, { step, ms, untilMs: nowMs + ms });
  }

  forget(node: string): void {
    this.#failed.delete(node);
  }
}
