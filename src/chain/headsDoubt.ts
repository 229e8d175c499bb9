import { agreedAt } from './headsAgree.ts';
import type { TrustedChain } from './headsChain.ts';
import type { HeadEvent, HeadOptions } from './headsOptions.ts';
import type { Panel } from './headsPanel.ts';
import { needOf } from './headsPanel.ts';
import type { NodeView } from './headsView.ts';

/** How long nodes get to say what they have at the finalized height, in `stallMs`. */
const PATIENCE_STALLS = 4;

/**
 * After a reorg of which only the upper end was seen: whether it went below the finalized block. Each node is asked for its
 * hash there; until a quorum has told, nothing else becomes final.
 */
export class FinalDoubt {
  readonly #options: HeadOptions;
  #sinceMs = -1;

  constructor(options: HeadOptions) {
    this.#options = options;
  }

  private get isOpen(): boolean {
    return this.#sinceMs >= 0;
  }

  /** The trusted chain has taken another branch. */
  onReorg(event: HeadEvent, chain: TrustedChain, nowMs: number): void {
    if (event.kind !== 'reorg' || event.finalityBroken || chain.finalized === null) this.#sinceMs = -1;
    else if (event.fromNumber <= chain.finalized.number + 1) this.#sinceMs = nowMs;
  }

  /** Heights whose hashes the node is to be asked for: one at most. */
  checkNumbers(chain: TrustedChain, view: NodeView): readonly number[] {
    const number = this.isOpen ? (chain.finalized?.number ?? -1) : -1;
    return number >= 0 && number > view.number - this.#options.reorgDepth && view.hashAt(number) === '' ? [number] : [];
  }

  /** Whether what is final may be raised: the nodes have told enough, or time is up. Where they have another block there, the trusted chain follows them as in any reorg. */
  isSettled(chain: TrustedChain, { live }: Panel, times: { readonly stallMs: number; readonly nowMs: number }): boolean {
    const { finalized } = chain;
    if (!this.isOpen) return true;
    const need = needOf(this.#options.quorum, live.length, live.length);
    // not what they called final before the reorg
    const isTold = finalized === null || agreedAt(live, finalized.number, need) !== '';
    if (!isTold && times.nowMs - this.#sinceMs < PATIENCE_STALLS * times.stallMs) return false;
    this.#sinceMs = -1;
    return true;
  }
}
