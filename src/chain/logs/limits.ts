import { readRangeHint } from './limitText.ts';

/** Blocks that one query to a node may span, as learnt. */
interface Learnt {
  readonly blocks: number;
  readonly sinceMs: number;
  /** The limit is tried at twice the size after so long, and so on. */
  readonly holdMs: number;
}

/** A limit that a node named is its configuration; it changes seldom. */
const FIRM_HOLD_MS = 3_600_000;
/** One that followed from what a query matched, or from a refusal without a number. */
const SOFT_HOLD_MS = 120_000;
const MAX_DOUBLINGS = 30;
/** How long a node is taken to lack old logs: it may be given them. */
const FLOOR_MS = 600_000;

/** Which ranges of blocks the nodes take in one query of one method, learnt from their refusals; forgotten bit by bit. */
export class RangeLimits {
  readonly #learnt = new Map<number, Learnt>();

  /** Lowest block whose logs a node is taken to have. */
  readonly #floors = new Map<number, { readonly block: number; readonly untilMs: number }>();

  /** Blocks that a query to the node may span now; Infinity = no limit is known. */
  of(node: number, nowMs: number): number {
    const learnt = this.#learnt.get(node);
    if (learnt === undefined) return Number.POSITIVE_INFINITY;
    const doublings = Math.floor((nowMs - learnt.sinceMs) / learnt.holdMs);
    return doublings > MAX_DOUBLINGS ? Number.POSITIVE_INFINITY : learnt.blocks * 2 ** doublings;
  }

  /** The node refused a query for its size. */
  onRefused(node: number, blocks: number, message: string, nowMs: number): void {
    const hint = readRangeHint(message);
    if (hint.items || blocks <= 1) return;
    // a node may name the very range that it has refused
    const isNews = hint.blocks > 0 && hint.blocks < blocks;
    const limit = isNews ? hint.blocks : Math.floor(blocks / 2);
    if (limit >= this.of(node, nowMs)) return;
    this.#learnt.set(node, { blocks: Math.max(1, limit), sinceMs: nowMs, holdMs: isNews && hint.firm ? FIRM_HOLD_MS : SOFT_HOLD_MS });
  }

  /** The node was asked too much at once: smaller ranges for a while. */
  onThrottled(node: number, blocks: number, nowMs: number): void {
    if (blocks <= 1) return;
    const limit = Math.max(1, Math.floor(blocks / 2));
    if (limit < this.of(node, nowMs)) this.#learnt.set(node, { blocks: limit, sinceMs: nowMs, holdMs: SOFT_HOLD_MS });
  }

  /** The node answered a query of so many blocks. */
  onServed(node: number, blocks: number, nowMs: number): void {
    const learnt = this.#learnt.get(node);
    if (learnt !== undefined && blocks > learnt.blocks) this.#learnt.set(node, { ...learnt, blocks, sinceMs: nowMs });
  }

  /** The node lacks the logs of this block. */
  onMissing(node: number, block: number, nowMs: number): void {
    const floor = this.#floors.get(node);
    this.#floors.set(node, { block: Math.max(floor?.block ?? 0, block + 1), untilMs: nowMs + FLOOR_MS });
  }

  /** Whether the node is taken to have the logs of a block: it has not said otherwise of a later one. */
  has(node: number, block: number, nowMs: number): boolean {
    const floor = this.#floors.get(node);
    return floor === undefined || floor.untilMs <= nowMs || block >= floor.block;
  }

  /** The node is gone, or may come back as another. */
  forget(node: number): void {
    this.#learnt.delete(node);
    this.#floors.delete(node);
  }
}
