import type { BlockMark, Head } from '../../src/chain/head.ts';

/** A block of a made-up chain: `branch` names who made it from `since` on; below `since` it is the main branch's. */
export function blockHash(number: number, branch = 'main', since = 0): string {
  return `0x${number < since ? 'main' : branch}${number}`;
}

/** The head of a branch that left the main one at `since`. Blocks are `blockS` seconds apart. */
export function headAt(number: number, branch = 'main', since = 0, blockS = 2): Head {
  return { number, hash: blockHash(number, branch, since), parentHash: blockHash(number - 1, branch, since), timestampS: number * blockS };
}

export function markAt(number: number, branch = 'main', since = 0): BlockMark {
  return { number, hash: blockHash(number, branch, since) };
}
