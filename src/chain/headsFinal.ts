import type { BlockMark } from './head.ts';
import type { Witness } from './headsAgree.ts';
import { bestAgreed } from './headsAgree.ts';
import type { TrustedChain } from './headsChain.ts';
import type { HeadOptions } from './headsOptions.ts';
import { needOf } from './headsPanel.ts';
import type { NodeView } from './headsView.ts';

/** A node's word on finality, as testimony: as high as its finalized mark, with what it knows of the heights below. */
function finalWitness(view: NodeView, mark: BlockMark): Witness {
  return {
    number: mark.number,
    hashAt: (number) => (number > mark.number ? '' : view.finals.hashAt(number) || view.hashAt(number)),
  };
}

/**
 * The highest finalized block that a quorum of the nodes that tell one stands by: above the one known, not above the
 * trusted head, and not another block than the trusted chain has at that height. Null = nothing new.
 */
export function agreedFinal(chain: TrustedChain, live: readonly NodeView[], options: HeadOptions): BlockMark | null {
  const { quorum, finalityDepth = 0 } = options;
  if (finalityDepth > 0 && live.every((view) => view.finalized === null)) return buried(chain, finalityDepth);
  const witnesses: Witness[] = [];
  for (const view of live) {
    if (view.finalized !== null && chain.contradiction(view) < 0) witnesses.push(finalWitness(view, view.finalized));
  }
  if (witnesses.length === 0) return null;
  const range = { floor: chain.finalized?.number ?? -1, ceiling: chain.number, asked: -1 };
  const found = bestAgreed(witnesses, range, needOf(quorum, witnesses.length, witnesses.length));
  if (found === null) return null;
  const ours = chain.hashAt(found.number);
  return ours === '' || ours === found.hash ? found : null;
}

/** Where no node tells what is final, the block so far below the head; monotonic, and only with a hash that is known. */
function buried(chain: TrustedChain, depth: number): BlockMark | null {
  const number = chain.number - depth;
  const hash = chain.hashAt(number);
  return number > (chain.finalized?.number ?? -1) && hash !== '' ? { number, hash } : null;
}
