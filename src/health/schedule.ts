import type { Random } from '../base/random.ts';

interface Slot {
  nextMs: number;
  /** When the probe under way began; -1 = none is. */
  startedMs: number;
  endedMs: number;
  urgent: boolean;
}

/** Most probes of one chain under way at once. */
const AT_ONCE = 8;
/** Shortest time from the end of a probe to an urgent one. */
const URGENT_GAP_MS = 100;

/** Probe interval that follows the block time: `fixedMs`, or clamp(block time / 2, 250 ms, 5 s), 1 s while it is unknown. */
export function probeIntervalMs(fixedMs: number, blockTimeMs: number): number {
  if (fixedMs > 0) return fixedMs;
  return blockTimeMs > 0 ? Math.min(5000, Math.max(250, blockTimeMs / 2)) : 1000;
}

/** When which node is probed: spread by a tenth at random, at once after a failed call, a few at a time. */
export class ProbeSchedule {
  readonly #slots = new Map<number, Slot>();
  readonly #random: Random;
  readonly #timeoutMs: number;

  /** @param timeoutMs of one probe; a probe without a result after twice that plus 1 s is given up */
  constructor(timeoutMs: number, random: Random) {
    this.#timeoutMs = timeoutMs;
    this.#random = random;
  }

  /** A new node is due at once. */
  add(index: number, nowMs: number): void {
    this.#slots.set(index, { nextMs: nowMs, startedMs: -1, endedMs: Number.NEGATIVE_INFINITY, urgent: false });
  }

  remove(index: number): void {
    this.#slots.delete(index);
  }

  /** A call failed there: look at once. True when this brought the probe forward. */
  hurry(index: number, nowMs: number): boolean {
    const slot = this.#slots.get(index);
    if (slot === undefined || slot.urgent || slot.startedMs >= 0) return false;
    slot.urgent = true;
    slot.nextMs = Math.min(slot.nextMs, Math.max(nowMs, slot.endedMs + URGENT_GAP_MS));
    return true;
  }

  /** A probe ended; the next is due after about `intervalMs`. */
  onResult(index: number, intervalMs: number, nowMs: number): void {
    const slot = this.#slots.get(index);
    if (slot === undefined) return;
    slot.startedMs = -1;
    slot.endedMs = nowMs;
    slot.urgent = false;
    slot.nextMs = nowMs + intervalMs * (0.9 + 0.2 * this.#random());
  }

  /** Takes the nodes to probe now, the longest due first; each counts as under way until its result. */
  takeDue(nowMs: number): number[] {
    let underWay = 0;
    const due: number[] = [];
    for (const [index, slot] of this.#slots) {
      if (slot.startedMs >= 0 && nowMs - slot.startedMs > 2 * this.#timeoutMs + 1000) slot.startedMs = -1;
      if (slot.startedMs >= 0) underWay++;
      else if (slot.nextMs <= nowMs) due.push(index);
    }
    due.sort((a, b) => this.#rank(a) - this.#rank(b) || a - b);
    const taken = due.slice(0, Math.max(0, AT_ONCE - underWay));
    for (const index of taken) {
      const slot = this.#slots.get(index);
      if (slot !== undefined) slot.startedMs = nowMs;
    }
    return taken;
  }

  /** When the next probe is due; +Infinity = none. */
  nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const slot of this.#slots.values()) if (slot.startedMs < 0) next = Math.min(next, slot.nextMs);
    return next;
  }

  /** Urgent ones first, then by the time they are due. */
  #rank(index: number): number {
    const slot = this.#slots.get(index);
    if (slot === undefined) return 0;
    return slot.urgent ? slot.nextMs - 1e9 : slot.nextMs;
  }
}
