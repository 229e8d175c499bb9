import type { TimerHandle, Timers } from '../../src/base/clock.ts';

interface Entry {
  readonly atMs: number;
  readonly seq: number;
  run: (() => void) | null;
}

const before = (a: Entry, b: Entry): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.seq < b.seq);

/** Virtual time: a heap of events by (time, sequence). The same events in give the same run. */
export class VirtualWorld implements Timers {
  nowMs = 0;
  #seq = 0;
  readonly #heap: Entry[] = [];

  after(delayMs: number, run: () => void): TimerHandle {
    const entry: Entry = { atMs: this.nowMs + Math.max(0, delayMs), seq: this.#seq++, run };
    this.#push(entry);
    return {
      cancel: () => {
        entry.run = null;
      },
    };
  }

  /** Runs everything up to `endMs`, or all there is. */
  run(endMs = Number.POSITIVE_INFINITY): void {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      this.nowMs = next.atMs;
      next.run?.();
    }
    if (endMs !== Number.POSITIVE_INFINITY) this.nowMs = endMs;
  }

  /** As `run` up to `endMs`, where what is run leaves work to microtasks. */
  async drive(endMs: number): Promise<void> {
    for (let next = this.#heap[0]; next !== undefined && next.atMs <= endMs; next = this.#heap[0]) {
      this.#pop();
      this.nowMs = next.atMs;
      next.run?.();
      await null;
      await null;
    }
    this.nowMs = endMs;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !before(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const [left, right] = [heap[child], heap[child + 1]];
      if (left === undefined) break;
      let lower = left;
      if (right !== undefined && before(right, left)) {
        lower = right;
        child++;
      }
      if (!before(lower, last)) break;
      heap[at] = lower;
      at = child;
    }
    heap[at] = last;
  }
}
