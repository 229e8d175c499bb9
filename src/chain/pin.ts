import { elementAt, endOfValue, isAbsentAt, isArrayAt, isLatestAt, isObjectAt, memberAt, skipSpace, stringAt } from './jsonWalk.ts';
import type { MethodSpec } from './method.ts';
import type { BlockMark } from './head.ts';

/** What tags stand for. */
export interface Anchor {
  readonly latest: BlockMark;
  /** Null = not known: the tag is left as it is. */
  readonly finalized: BlockMark | null;
}

/** How a block is written into params. `hash`: as EIP-1898 does, in the methods that it lists; a number elsewhere. */
export type PinBy = 'number' | 'hash';

/** The methods that EIP-1898 lets name their block by hash. */
const EIP_1898 = new Set(['eth_getBalance', 'eth_getStorageAt', 'eth_getTransactionCount', 'eth_getCode', 'eth_call', 'eth_getProof']);

/** A missing block means the latest one to every client. Elsewhere it is refused by some, or means the pending block. */
const ABSENT_IS_LATEST = 'eth_call';

const quantity = ({ number }: BlockMark): string => `"0x${number.toString(16)}"`;

function markOf(tag: string | null, { latest, finalized }: Anchor): BlockMark | null {
  if (tag === 'latest') return latest;
  return tag === 'finalized' ? finalized : null;
}

/** `text` with what stands from `from` to `to` replaced. */
const splice = (text: string, [from, to]: readonly [number, number], by: string): string => text.slice(0, from) + by + text.slice(to);

const spot = (text: string, at: number): readonly [number, number] => [at, endOfValue(text, at)];

/** Whether EIP-1898 lets the method name its block by hash. */
export const takesHash = (spec: MethodSpec): boolean => EIP_1898.has(spec.name);

function pinnedNumber(spec: MethodSpec, text: string, anchor: Anchor, by: PinBy): string {
  if (spec.block.kind !== 'number') return text;
  const { index } = spec.block;
  const start = skipSpace(text, 0);
  const write = (mark: BlockMark): string => (by === 'hash' && takesHash(spec) && mark.hash !== '' ? `{"blockHash":"${mark.hash}"}` : quantity(mark));
  const at = elementAt(text, start, index);
  if (at < 0) return spec.name === ABSENT_IS_LATEST ? appended(text, index, write(anchor.latest)) : text;
  if (isLatestAt(text, at)) return splice(text, spot(text, at), write(anchor.latest));
  if (isAbsentAt(text, at)) return spec.name === ABSENT_IS_LATEST ? splice(text, spot(text, at), write(anchor.latest)) : text;
  const inner = isObjectAt(text, at) ? memberAt(text, at, 'blockNumber') : -1;
  if (isObjectAt(text, at) && !isAbsentAt(text, memberAt(text, at, 'blockHash'))) return text;
  const mark = markOf(stringAt(text, inner >= 0 ? inner : at), anchor);
  return mark === null ? text : splice(text, spot(text, at), write(mark));
}

/** `text` with one more param, where it has exactly those before it. */
function appended(text: string, index: number, param: string): string {
  const before = index === 0 ? skipSpace(text, 0) + 1 : elementAt(text, skipSpace(text, 0), index - 1);
  if (before <= 0) return text;
  const end = endOfValue(text, before);
  return splice(text, [end, end], `,${param}`);
}

/** Both ends of a filter's range. A missing upper end is the latest block; a missing lower one is read in several ways, and left alone with the upper. */
function pinnedRange(text: string, index: number, anchor: Anchor): string {
  const at = elementAt(text, skipSpace(text, 0), index);
  if (at < 0 || !isObjectAt(text, at) || !isAbsentAt(text, memberAt(text, at, 'blockHash'))) return text;
  if (isAbsentAt(text, memberAt(text, at, 'fromBlock'))) return text;
  let pinned = text;
  for (const name of ['fromBlock', 'toBlock']) {
    const value = memberAt(pinned, at, name);
    if (value < 0) {
      pinned = splice(pinned, [at + 1, at + 1], `"${name}":${quantity(anchor.latest)},`);
      continue;
    }
    const mark = isAbsentAt(pinned, value) ? anchor.latest : markOf(stringAt(pinned, value), anchor);
    if (mark !== null) pinned = splice(pinned, spot(pinned, value), quantity(mark));
  }
  return pinned;
}

/**
 * The params with `latest` and `finalized` written as the blocks that they stand for; the same text where there is nothing
 * to write. `pending`, `safe` and `earliest` stay, and all else keeps its bytes.
 * @param paramsRaw valid JSON, or ''
 */
export function pinTags(spec: MethodSpec, paramsRaw: string, anchor: Anchor, by: PinBy): string {
  if (!isArrayAt(paramsRaw, skipSpace(paramsRaw, 0))) return paramsRaw;
  if (spec.block.kind === 'range') return spec.class === 'logs' ? pinnedRange(paramsRaw, spec.block.index, anchor) : paramsRaw;
  return pinnedNumber(spec, paramsRaw, anchor, by);
}

/** The params with a block that is named by number named by its hash, where EIP-1898 allows it; else the same text. */
export function pinHeight(spec: MethodSpec, paramsRaw: string, hash: string): string {
  if (spec.block.kind !== 'number' || !takesHash(spec)) return paramsRaw;
  const at = elementAt(paramsRaw, skipSpace(paramsRaw, 0), spec.block.index);
  return at < 0 ? paramsRaw : splice(paramsRaw, spot(paramsRaw, at), `{"blockHash":"${hash}"}`);
}
