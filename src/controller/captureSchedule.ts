import type { SnapshotsConfig } from '../config/schema.ts';
import { captureDue } from '../snapshot/due.ts';
import type { SnapshotBody } from '../snapshot/manifest.ts';

/** Clocks: of the wall, which can jump, and one that only goes on. */
export interface Clocks {
  readonly nowMs: () => number;
  readonly steadyMs: () => number;
  readonly random: () => number;
}

/** When captures are due: by the snapshots that are there, with a random delay drawn anew each time, and later after a failure. */
export class CaptureSchedule {
  readonly #settings: SnapshotsConfig;
  readonly #clocks: Clocks;
  readonly #delays = new Map<string, number>();
  /** By the steady clock: a wall clock that jumps lets no failure be tried again at once, nor never. */
  readonly #notBefore = new Map<string, number>();

  constructor(settings: SnapshotsConfig, clocks: Clocks) {
    this.#settings = settings;
    this.#clocks = clocks;
  }

  /** What is due of a chain whose captures are on; null = nothing yet. */
  due(chain: string, past: readonly SnapshotBody[]): SnapshotBody['kind'] | null {
    const { capture, everyMs, fullEveryMs } = this.#settings;
    const { nowMs, steadyMs, random } = this.#clocks;
    if (!capture.enabled || steadyMs() < (this.#notBefore.get(chain) ?? Number.NEGATIVE_INFINITY)) return null;
    const delayMs = this.#delays.get(chain) ?? random() * capture.jitter * everyMs;
    this.#delays.set(chain, delayMs);
    return captureDue(past, { everyMs: everyMs + delayMs, fullEveryMs: fullEveryMs + delayMs }, nowMs());
  }

  /** What a command asks for where it names no kind. */
  kindNow(past: readonly SnapshotBody[]): SnapshotBody['kind'] {
    return captureDue(past, this.#settings, this.#clocks.nowMs()) ?? 'incremental';
  }

  ended(chain: string, isOk: boolean): void {
    this.#delays.delete(chain);
    if (isOk) this.#notBefore.delete(chain);
    else this.#notBefore.set(chain, this.#clocks.steadyMs() + this.#settings.capture.retryMs);
  }
}
