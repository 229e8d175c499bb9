/** How long a refusal is remembered: long enough to spare the caller, short enough to notice an upgraded node. */
export const LEARNT_FOR_MS = 300_000;

/** What a node was found to be unable to do, forgotten after `LEARNT_FOR_MS`. Without it the config alone counts. */
export class LearntLimits {
  private configured: Uint8Array | null;
  /** Method index -> when it is forgotten. */
  private readonly unsupported = new Map<number, number>();
  private lowest = 0;
  private lowestUntilMs = 0;
  private mask: Uint8Array | null;

  /** @param configured the mask from the node's own `methods.allow|deny`, or null */
  constructor(configured: Uint8Array | null) {
    this.configured = configured;
    this.mask = configured;
  }

  /** The config says something else from now on; what was learnt stays. */
  configure(configured: Uint8Array | null): void {
    if (configured === this.configured) return;
    this.configured = configured;
    this.paint(this.mask?.length ?? 0);
  }

  /** 1 at a method's index = never send it there; null = everything may go. A new array after each change. */
  get denied(): Uint8Array | null {
    return this.mask;
  }

  /** Lowest block whose state the node is taken to have. */
  get lowestState(): number {
    return this.lowest;
  }

  /** The node said that it lacks a method. @param methods how many methods the catalogue has */
  onUnsupported(methodIndex: number, methods: number, nowMs: number): void {
    const known = this.unsupported.has(methodIndex);
    this.unsupported.set(methodIndex, nowMs + LEARNT_FOR_MS);
    if (!known) this.paint(methods);
  }

  /** The node lacks the state of a block that is far below the head. */
  onPruned(block: number, nowMs: number): void {
    this.lowest = Math.max(this.lowest, block + 1);
    this.lowestUntilMs = nowMs + LEARNT_FOR_MS;
  }

  /** Forgets what is old. True when something changed. */
  expire(nowMs: number): boolean {
    let changed = false;
    for (const [index, untilMs] of this.unsupported) {
      if (untilMs > nowMs) continue;
      this.unsupported.delete(index);
      changed = true;
    }
    if (changed) this.paint(this.mask?.length ?? 0);
    if (this.lowest > 0 && this.lowestUntilMs <= nowMs) {
      this.lowest = 0;
      changed = true;
    }
    return changed;
  }

  private paint(methods: number): void {
    if (this.unsupported.size === 0) {
      this.mask = this.configured;
      return;
    }
    const mask = this.configured?.slice() ?? new Uint8Array(methods);
    for (const index of this.unsupported.keys()) mask[index] = 1;
    this.mask = mask;
  }
}
