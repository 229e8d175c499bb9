import type { BlockPoint, BlockRef, BlockTag } from './blockref.ts';
import type { MethodSpec } from './method.ts';

/** What a call depends on of the chain as its client sees it. */
export interface Sight {
  /**
   * Lowest height at which a node's word must equal the trusted chain's; -1 = any node will do. Never above the head.
   */
  readonly trustedBlock: number;
  /** No other node will do: better wait, and better refuse than answer from an older chain. */
  readonly firm: boolean;
  /** Height above the trusted head that the call names; -1 = none. */
  readonly ahead: number;
  /** A reorg between the question and the answer can make the answer another one. */
  readonly mayChange: boolean;
  /** Height that the call names by number and that can still be undone; -1 = none. */
  readonly named: number;
}

/** Heights of the trusted head and the trusted finalized block; -1 = not known. */
interface Heights {
  readonly number: number;
  readonly finalizedNumber: number;
}

const ANYWHERE: Sight = { trustedBlock: -1, firm: false, ahead: -1, mayChange: false, named: -1 };

const atHead = (number: number, firm: boolean, mayChange = true): Sight => ({ trustedBlock: number, firm, ahead: -1, mayChange, named: -1 });

/** Classes whose methods are about one node, or change it. */
const isOfNode = ({ class: kind }: MethodSpec): boolean => kind === 'filter' || kind === 'node' || kind === 'dev';

function atTag(tag: BlockTag, { number, finalizedNumber }: Heights): Sight {
  if (tag === 'earliest') return ANYWHERE;
  if (tag === 'finalized' && finalizedNumber >= 0) return { ...atHead(finalizedNumber, true), mayChange: false };
  return atHead(number, true);
}

function atHeight(height: number, { number, finalizedNumber }: Heights): Sight {
  if (height > number) return { trustedBlock: number, firm: false, ahead: height, mayChange: true, named: -1 };
  const mayChange = height > finalizedNumber;
  return { trustedBlock: height, firm: false, ahead: -1, mayChange, named: mayChange ? height : -1 };
}

const atPoint = (point: BlockPoint, from: Heights): Sight => (point.kind === 'tag' ? atTag(point.tag, from) : atHeight(point.number, from));

/** Both ends of a range: the more demanding of the two, in each respect. */
function atRange(ends: readonly [BlockPoint, BlockPoint], from: Heights): Sight {
  const [a, b] = [atPoint(ends[0], from), atPoint(ends[1], from)];
  return {
    trustedBlock: Math.max(a.trustedBlock, b.trustedBlock),
    firm: a.firm || b.firm,
    ahead: Math.max(a.ahead, b.ahead),
    mayChange: a.mayChange || b.mayChange,
    named: -1,
  };
}

/**
 * What a call depends on. Methods that depend on the newest block without naming one, and look-ups by hash, go to nodes
 * that have it: a node that is behind would say that something is not there yet which the client has seen already.
 * @param number height of the trusted head; -1 = none is known yet
 * @param finalizedNumber height of the trusted finalized block; -1 = none is known
 */
export function sightOf(spec: MethodSpec, ref: BlockRef, number: number, finalizedNumber: number): Sight {
  if (number < 0 || spec.finality === 'static' || isOfNode(spec) || spec.name === 'other') return ANYWHERE;
  if (spec.class === 'write') return atHead(number, true, false);
  const from = { number, finalizedNumber };
  if (ref.kind === 'tag' || ref.kind === 'number') return atPoint(ref, from);
  if (ref.kind === 'range') return atRange([ref.from, ref.to], from);
  return atHead(number, spec.block.kind === 'none');
}
