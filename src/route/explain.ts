import type { MethodSpec } from '../chain/method.ts';
import type { UpstreamState } from '../health/state.ts';
import { FLAW, flawsOf } from './flaws.ts';
import type { FlawName, RankAsk } from './flaws.ts';
import type { LoadBook } from './loadBook.ts';
import { Ranker, distanceOf } from './rank.ts';
import type { RouteTable } from './table.ts';

/** Why a node is not among a call's candidates. `tier`: a better tier serves, or the table leaves it out. */
export type Exclusion = FlawName | 'tier';

/** One node, as a call saw it. */
export interface Explained {
  readonly index: number;
  readonly name: string;
  readonly state: UpstreamState;
  readonly tier: number;
  readonly weight: number;
  /** Distance from the key, smaller is nearer; null without weight. */
  readonly distance: number | null;
  readonly inFlight: number;
  /** Place among the candidates from 0, or -1; only the first 16 have one. */
  readonly position: number;
  /** Everything that speaks against it; of a candidate, what was put up with. */
  readonly exclusions: readonly Exclusion[];
}

/**
 * Every node of the table with what `Ranker.rank` thinks of it, candidates first. For people; it may allocate.
 * @param shared book and epsilon that the chain's ranker has
 */
export function explainRank(
  table: RouteTable,
  method: MethodSpec,
  ask: RankAsk,
  shared: { readonly book: LoadBook; readonly boundedLoad: number },
): Explained[] {
  const order = new Int32Array(table.entries.length);
  const count = new Ranker(shared.book, shared.boundedLoad, false).rank(table, method, ask, order);
  const places = order.subarray(0, count);
  const explained = table.entries.map((entry): Explained => {
    const inFlight = shared.book.inFlight(entry.index);
    const flaws = flawsOf(entry, method, ask, shared.book);
    const exclusions: Exclusion[] = flawNames().filter((name) => (flaws & FLAW[name]) !== 0);
    if (entry.weight > 0 && !table.serving.includes(entry.index)) exclusions.push('tier');
    return {
      index: entry.index,
      name: entry.name,
      state: entry.state,
      tier: entry.tier,
      weight: entry.weight,
      distance: entry.weight > 0 ? distanceOf(ask.keyHash, entry.seed, entry.weight) : null,
      inFlight,
      position: places.indexOf(entry.index),
      exclusions,
    };
  });
  const key = (one: Explained): number => (one.position < 0 ? count + one.index : one.position);
  return explained.sort((a, b) => key(a) - key(b));
}

function flawNames(): FlawName[] {
  return Object.keys(FLAW) as FlawName[];
}
