import type { BlockMark } from './head.ts';
import type { ChainView } from './view.ts';

const FORM = /^([0-9]{1,15}|0[xX][0-9a-fA-F]{1,13})(?::(0[xX][0-9a-fA-F]{64}))?$/;

/** A block that a client has seen, from `number` or `number:hash` (decimal or 0x); hash '' where it has none. Null = not readable. */
export function readMinBlock(text: string): BlockMark | null {
  const match = FORM.exec(text.trim());
  return match?.[1] === undefined ? null : { number: Number(match[1]), hash: (match[2] ?? '').toLowerCase() };
}

/**
 * Whether a view is as new as what a client has seen. With a hash: the block is on the trusted branch, or a reorg that was
 * seen here took it off it, or its height has left the window of known hashes. A hash that was never trusted here is of a branch that is
 * newer than this view, as far as anybody here can tell.
 * @param wasTrusted tells of a hash whether a reorg replaced it here lately
 */
export function hasReached(view: ChainView, seen: BlockMark, wasTrusted: (hash: string) => boolean): boolean {
  const { head } = view;
  if (head === null) return false;
  if (seen.hash !== '' && wasTrusted(seen.hash)) return true;
  if (head.number < seen.number) return false;
  if (seen.hash === '') return true;
  const ours = view.hashAt(seen.number);
  return ours === '' || ours === seen.hash;
}
