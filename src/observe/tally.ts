import type { Sheet } from './page.ts';
import type { Cell, Tally } from './series.ts';

/** Something with numbers of its own that two processes name alike. */
export interface Scope {
  /** Of the chain; '' = the process. */
  readonly chain: string;
  /** Index of the upstream; -1 = the chain itself. */
  readonly upstream: number;
  /** In the order in which they are shown, which is the same in every process of one version. */
  readonly tallies: readonly Tally[];
  /** Those of them that fall too. */
  readonly levels: ReadonlySet<Tally>;
}

/** What has changed in one scope since the last time. */
export interface Counts {
  readonly chain: string;
  readonly upstream: number;
  /** Position in the scope, difference, position, difference … */
  readonly changes: Float64Array;
}

const keyOf = ({ chain, upstream }: { readonly chain: string; readonly upstream: number }): string => `${chain}/${upstream}`;

/** Collects what adds up over processes instead of showing it. */
class Collector implements Sheet {
  readonly tallies: Tally[] = [];
  readonly levels = new Set<Tally>();

  value(): void {}

  states(): void {}

  level(_key: string, _labels: object, cell: Cell): void {
    this.levels.add(cell);
    this.tallies.push(cell);
  }

  count(_key: string, _labels: object, cell: Cell): void {
    this.tallies.push(cell);
  }

  counters(_key: string, set: Tally): void {
    this.tallies.push(set);
  }

  histogram(_key: string, histogram: Tally): void {
    this.tallies.push(histogram);
  }
}

type Emit = (sheet: Sheet) => void;

/** A chain's numbers, as `ChainMetrics` has them. */
interface ChainSheets {
  emitOwn: Emit;
  upstreams(): readonly (readonly [index: number, { emit: Emit }])[];
}

/** Every scope of a process. */
export function tallyScopes(own: Emit, chains: ReadonlyMap<string, ChainSheets>): readonly Scope[] {
  const collect = (chain: string, upstream: number, emit: Emit): Scope => {
    const sheet = new Collector();
    emit(sheet);
    return { chain, upstream, tallies: sheet.tallies, levels: sheet.levels };
  };
  const inChains = [...chains].flatMap(([name, chain]) => [
    collect(name, -1, (sheet) => chain.emitOwn(sheet)),
    ...chain.upstreams().map(([index, upstream]) => collect(name, index, (sheet) => upstream.emit(sheet))),
  ]);
  return [collect('', -1, own), ...inChains];
}

/** Remembers what was told of each tally, so that only what has changed is told. */
export class TallyTeller {
  readonly #told = new WeakMap<Tally, Float64Array>();

  /** What has changed since the last time, in the scopes where something has. */
  changes(scopes: readonly Scope[]): readonly Counts[] {
    return scopes.flatMap(({ chain, upstream, tallies }) => {
      const changes: number[] = [];
      let base = 0;
      for (const tally of tallies) {
        this.#compare(tally, base, changes);
        base += tally.values.length;
      }
      return changes.length === 0 ? [] : [{ chain, upstream, changes: Float64Array.from(changes) }];
    });
  }

  #compare(tally: Tally, base: number, changes: number[]): void {
    const { values } = tally;
    let told = this.#told.get(tally);
    if (told === undefined) {
      told = new Float64Array(values.length);
      this.#told.set(tally, told);
    }
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (value === told[i]) continue;
      changes.push(base + i, value - (told[i] as number));
      told[i] = value;
    }
  }
}

/** Adds what one other process tells to the numbers of this one. */
export class TallyTaker {
  /** What the levels hold of that process. */
  readonly #levels = new Map<Tally, number>();

  /** Scopes that this process does not know are left out: their chain or node was removed. */
  take(scopes: readonly Scope[], told: readonly Counts[]): void {
    if (told.length === 0) return;
    const known = new Map(scopes.map((scope) => [keyOf(scope), scope]));
    for (const counts of told) {
      const scope = known.get(keyOf(counts));
      if (scope !== undefined) this.#add(scope, counts.changes);
    }
  }

  /** The process is gone: its counts stay, its levels are taken back. */
  retract(): void {
    for (const [tally, value] of this.#levels) tally.values[0] = (tally.values[0] ?? 0) - value;
    this.#levels.clear();
  }

  #add({ tallies, levels }: Scope, changes: Float64Array): void {
    let base = 0;
    let at = 0;
    for (const tally of tallies) {
      const end = base + tally.values.length;
      for (; at < changes.length && (changes[at] as number) < end; at += 2) {
        const slot = (changes[at] as number) - base;
        const change = changes[at + 1] as number;
        tally.values[slot] = (tally.values[slot] ?? 0) + change;
        if (levels.has(tally)) this.#levels.set(tally, (this.#levels.get(tally) ?? 0) + change);
      }
      base = end;
    }
  }
}
