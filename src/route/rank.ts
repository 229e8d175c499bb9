import type { FaultKind } from '../base/fault.ts';
import { mix32 } from '../base/hash.ts';
import type { MethodSpec } from '../chain/method.ts';
import type { UpstreamState } from '../health/state.ts';
import { FIRM_FLAWS, FLAW, INABILITIES, flawsOf, misfitOf } from './flaws.ts';
import type { RankAsk } from './flaws.ts';
import type { LoadBook } from './loadBook.ts';
import type { RouteEntry, RouteTable } from './table.ts';

/** Added to the group of a node that is over its bounded load: behind the others of its tier, before the next tier. */
const OVERLOADED = 1;
const GROUPS_PER_TIER = 2;
/** Added to the group of a node whose budget is used up: behind all that have room, of whatever tier. */
const SPENT = 1024;
const IN_SERVICE: ReadonlySet<UpstreamState> = new Set(['serving', 'ramping']);
/** Most candidates of a call: as many as `routing.maxAttempts` can be. Whoever comes after them is never reached. */
const MAX_CANDIDATES = 16;

/**
 * Distance of a node from a key; the nearest node serves. The nodes' distances are exponential variables with the weights
 * as rates, so each is nearest with probability weight / sum of weights, and changing one node moves only keys to or from it.
 * Source: the logarithmic method of Schindelhauer & Schomaker, "Weighted Distributed Hash Tables" (SPAA 2005), as
 * weighted rendezvous hashing.
 * @param weight above 0
 */
export function distanceOf(keyHash: number, seed: number, weight: number): number {
  return -Math.log((mix32(keyHash ^ seed) + 0.5) / 4294967296) / weight;
}

/**
 * Most calls in flight before a key goes on to the next node.
 * Source: consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam, SODA 2018), with weights.
 * @param share the node's weight over the sum of weights
 * @param total calls in flight at all of them
 */
export function boundedCapacity(epsilon: number, total: number, share: number): number {
  // an exact product such as 1.25 * 4 * 0.2 must not become 2 through the last bit of a fraction
  return Math.ceil((1 + epsilon) * (total + 1) * share - 1e-9);
}

/** Orders the nodes for a call. One per chain; it keeps its scratch space, so ranking allocates nothing. */
export class Ranker {
  /** Why the last `rank` gave nobody. */
  refusal: FaultKind = 'noUpstream';
  private readonly book: LoadBook;
  private readonly epsilon: number;
  private distance = new Float64Array(16);
  private group = new Int32Array(16);
  private order = new Int32Array(16);
  /** Beside `order` before it is sorted: 1 = the node's budget is used up. */
  private spent = new Uint8Array(16);
  private readonly counts: boolean;

  /**
   * @param boundedLoad epsilon: how far over its fair share a node may be loaded; see `boundedCapacity`
   * @param counts whether nodes that are passed over for their budget are counted
   */
  constructor(book: LoadBook, boundedLoad: number, counts = true) {
    this.book = book;
    this.counts = counts;
    this.epsilon = boundedLoad;
  }

  /**
   * Writes the indices of the nodes to try into `out`, best first: budget left, then tier, bounded load, distance from the
   * key. When nobody who serves has budget left, nodes of other tiers that have come before them.
   * @param out room for up to 16; what does not fit is dropped from the end
   * @returns how many; 0 sets `refusal`
   */
  rank(table: RouteTable, method: MethodSpec, ask: RankAsk, out: Int32Array): number {
    if (table.entries.length > this.order.length) this.grow(table.entries.length);
    const count = this.admit(table, method, ask);
    if (count === 0) {
      this.refusal = refusalOf(table, method, ask, this.book);
      return 0;
    }
    this.place(table, method, ask, count);
    if (!ask.affine && count > 1) this.preferIdle(table);
    const given = Math.min(count, out.length, MAX_CANDIDATES);
    for (let i = 0; i < given; i++) out[i] = this.order[i] as number;
    return given;
  }

  /** Fills `order` with those of the smallest misfit. */
  private admit(table: RouteTable, method: MethodSpec, ask: RankAsk): number {
    let count = 0;
    let least = 4;
    let rich = 0;
    for (const index of table.serving) {
      const entry = table.entries[index];
      if (entry === undefined) continue;
      const flaws = flawsOf(entry, method, ask, this.book);
      if ((flaws & FIRM_FLAWS) !== 0) continue;
      const misfit = misfitOf(flaws);
      if (misfit > least) continue;
      if (misfit < least) {
        least = misfit;
        count = 0;
        rich = 0;
      }
      const spent = (flaws & FLAW.budget) !== 0;
      if (!spent) rich++;
      else if (this.counts) this.book.budgets.onPassed(index);
      this.spent[count] = spent ? 1 : 0;
      this.order[count++] = index;
    }
    return count > 0 && rich === 0 ? this.spill(table, method, ask, count) : count;
  }

  /** Adds the nodes of tiers not in use that have nothing against them. */
  private spill(table: RouteTable, method: MethodSpec, ask: RankAsk, admitted: number): number {
    let count = admitted;
    for (const entry of table.entries) {
      if (!IN_SERVICE.has(entry.state) || table.serving.includes(entry.index)) continue;
      if (flawsOf(entry, method, ask, this.book) !== 0) continue;
      this.spent[count] = 0;
      this.order[count++] = entry.index;
    }
    return count;
  }

  /** Sorts `count` nodes of `order` by group, then distance; `serving`, and so `order`, comes tier by tier. */
  private place(table: RouteTable, method: MethodSpec, ask: RankAsk, count: number): void {
    // a filter lives on the node that made it: load never moves its calls
    const epsilon = method.class === 'filter' ? Number.POSITIVE_INFINITY : this.epsilon;
    for (let from = 0; from < count; ) {
      const tier = table.entries[this.order[from] as number]?.tier ?? 0;
      let to = from;
      let total = 0;
      let weights = 0;
      for (; to < count; to++) {
        const index = this.order[to] as number;
        const entry = table.entries[index];
        if (entry === undefined || entry.tier !== tier) break;
        total += this.book.inFlight(index);
        weights += entry.weight;
      }
      for (let at = from; at < to; at++) {
        const index = this.order[at] as number;
        const { seed, weight } = table.entries[index] as RouteEntry;
        const over = this.book.inFlight(index) >= boundedCapacity(epsilon, total, weight / weights);
        const group = tier * GROUPS_PER_TIER + (over ? OVERLOADED : 0) + (this.spent[at] === 1 ? SPENT : 0);
        this.insert(at, group, distanceOf(ask.keyHash, seed, weight));
      }
      from = to;
    }
  }

  /** Moves the node at `from` forward to its place among the best of those before it. */
  private insert(from: number, group: number, distance: number): void {
    const index = this.order[from] as number;
    let at = from;
    if (from >= MAX_CANDIDATES) {
      at = MAX_CANDIDATES - 1;
      if (!this.isBetter(group, distance, at)) return;
    }
    for (; at > 0 && this.isBetter(group, distance, at - 1); at--) {
      this.order[at] = this.order[at - 1] as number;
      this.group[at] = this.group[at - 1] as number;
      this.distance[at] = this.distance[at - 1] as number;
    }
    this.order[at] = index;
    this.group[at] = group;
    this.distance[at] = distance;
  }

  private isBetter(group: number, distance: number, than: number): boolean {
    const other = this.group[than] as number;
    return group < other || (group === other && distance < (this.distance[than] as number));
  }

  /**
   * Power of two choices: with a random key the first two are a weighted sample without replacement.
   * Source: Mitzenmacher, "The power of two choices in randomized load balancing" (1996).
   */
  private preferIdle(table: RouteTable): void {
    const first = this.order[0] as number;
    const second = this.order[1] as number;
    if (this.group[0] !== this.group[1]) return;
    const load = (index: number): number => (this.book.inFlight(index) + 1) / (table.entries[index]?.weight ?? 1);
    if (load(second) >= load(first)) return;
    this.order[0] = second;
    this.order[1] = first;
  }

  private grow(upstreams: number): void {
    this.distance = new Float64Array(upstreams);
    this.group = new Int32Array(upstreams);
    this.order = new Int32Array(upstreams);
    this.spent = new Uint8Array(upstreams);
  }
}

/** Why nobody is left: no node can do it at all, none has a state so old, those that can are full, or they are out. */
function refusalOf(table: RouteTable, method: MethodSpec, ask: RankAsk, book: LoadBook): FaultKind {
  let able = table.entries.length === 0;
  let full = false;
  let tooOld = false;
  for (const entry of table.entries) {
    const flaws = flawsOf(entry, method, ask, book);
    if ((flaws & INABILITIES) !== 0) continue;
    tooOld ||= (flaws & FLAW.archive) !== 0;
    if ((flaws & FLAW.archive) !== 0) continue;
    able = true;
    full ||= (flaws & FIRM_FLAWS) === FLAW.full && table.serving.includes(entry.index);
  }
  if (!able) return tooOld ? 'noState' : 'methodUnsupported';
  return full ? 'overloaded' : 'noUpstream';
}
