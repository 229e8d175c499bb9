import type { Timers } from '../base/clock.ts';
import { carriedBlock } from '../cache/carried.ts';
import type { BlockMark } from '../chain/head.ts';
import type { ChainView } from '../chain/view.ts';
import type { SideCalls } from './sideCalls.ts';

/** Least time between two confirmations by one node: what waits meanwhile shares the next. */
const SPACING_MS = 25;
/** Answers that may wait for a node's word; beyond it they are not stored. */
const MAX_WAITING = 10_000;

interface Waiting {
  readonly number: number;
  readonly store: () => void;
}

/** The answers of one node that wait for its word. */
interface Desk {
  waiting: Waiting[];
  busy: boolean;
}

/**
 * Asks a node, after it has answered, whether it stands on the trusted branch: one light call for all answers that came
 * before it. With what the node had said before the call, that pins the answer to the branch.
 */
export class Confirmer {
  readonly #view: ChainView;
  readonly #calls: SideCalls;
  readonly #timers: Timers;
  readonly #desks = new Map<number, Desk>();

  constructor(view: ChainView, calls: SideCalls, timers: Timers) {
    this.#view = view;
    this.#calls = calls;
    this.#timers = timers;
  }

  /** @param store runs when the node has said, after this call, that it has the trusted block at that height */
  confirm(index: number, number: number, store: () => void): void {
    const desk = this.#desks.get(index) ?? { waiting: [], busy: false };
    this.#desks.set(index, desk);
    if (desk.waiting.length >= MAX_WAITING) return;
    desk.waiting.push({ number, store });
    if (!desk.busy) this.#ask(index, desk);
  }

  #ask(index: number, desk: Desk): void {
    const { waiting } = desk;
    if (waiting.length === 0) {
      this.#desks.delete(index);
      return;
    }
    desk.waiting = [];
    desk.busy = true;
    // a node that has the trusted block at one height has it at all heights below
    let top = 0;
    for (const { number } of waiting) top = Math.max(top, number);
    this.#calls.ask('confirm', index, ['eth_getBlockByNumber', `["0x${top.toString(16)}",false]`], (reply) => {
      const told = reply.kind === 'result' ? carriedBlock(reply.body, reply.start, 'block') : 'none';
      if (this.#isTrusted(told, top)) for (const { store } of waiting) store();
      this.#timers.after(SPACING_MS, () => {
        desk.busy = false;
        this.#ask(index, desk);
      });
    });
  }

  #isTrusted(told: BlockMark | 'none' | 'bad', top: number): boolean {
    return told !== 'none' && told !== 'bad' && told.number === top && told.hash === this.#view.hashAt(top);
  }
}
