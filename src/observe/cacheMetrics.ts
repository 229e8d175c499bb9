import type { StoredClass } from '../cache/entry.ts';
import type { TierTally } from '../cache/tally.ts';
import { LABELS } from './metricTable.ts';
import type { CacheTier, SideCall } from './metricTable.ts';
import type { Sheet } from './page.ts';
import { COUNT_SCALE, Cell, CounterSet, LogHistogram } from './series.ts';
import type { Labels } from './series.ts';

/** Counts of one tier of a chain's cache, by class. */
class TierMetrics implements TierTally {
  readonly #labels: Readonly<Record<StoredClass, Labels>>;
  readonly #entries: Readonly<Record<StoredClass, Cell>>;
  readonly #bytes: Readonly<Record<StoredClass, Cell>>;
  readonly #hits: CounterSet<StoredClass>;
  readonly #misses: CounterSet<StoredClass>;
  readonly #stores: CounterSet<StoredClass>;
  readonly #evictions: CounterSet<StoredClass>;

  constructor(chain: string, tier: CacheTier) {
    const counters = (): CounterSet<StoredClass> => new CounterSet({ chain, tier }, 'class', LABELS.storedClasses);
    this.#labels = byClass((of) => ({ chain, tier, class: of }));
    this.#entries = byClass(() => new Cell());
    this.#bytes = byClass(() => new Cell());
    this.#hits = counters();
    this.#misses = counters();
    this.#stores = counters();
    this.#evictions = counters();
  }

  onHit(of: StoredClass): void {
    this.#hits.add(of);
  }

  onMiss(of: StoredClass): void {
    this.#misses.add(of);
  }

  onStore(of: StoredClass, sizeBytes: number): void {
    this.#stores.add(of);
    this.#entries[of].add();
    this.#bytes[of].add(sizeBytes);
  }

  onGone(of: StoredClass, sizeBytes: number, evicted: boolean): void {
    if (evicted) this.#evictions.add(of);
    this.#entries[of].add(-1);
    this.#bytes[of].add(-sizeBytes);
  }

  emit(sheet: Sheet): void {
    sheet.counters('cacheHits', this.#hits);
    sheet.counters('cacheMisses', this.#misses);
    sheet.counters('cacheStores', this.#stores);
  }

  /** What is there now, and what had to go; a file is everybody's. */
  emitLevels(sheet: Sheet): void {
    for (const of of LABELS.storedClasses.names) {
      sheet.level('cacheEntries', this.#labels[of], this.#entries[of]);
      sheet.level('cacheBytes', this.#labels[of], this.#bytes[of]);
    }
    sheet.counters('cacheEvictions', this.#evictions);
  }
}

const byClass = <T>(make: (of: StoredClass) => T): Record<StoredClass, T> =>
  ({ static: make('static'), finalized: make('finalized'), unfinalized: make('unfinalized'), head: make('head') });

/** Counts of one chain's cache. */
export class CacheMetrics {
  readonly memory: TierTally;
  readonly disk: TierTally;
  readonly #tiers: readonly TierMetrics[];
  readonly #memory: TierMetrics;
  readonly #labels: Labels;
  readonly #drops = new Cell();
  readonly #depths: LogHistogram;
  readonly #sideCalls: CounterSet<SideCall>;
  readonly #verified = new Cell();
  readonly #differences = new Cell();
  readonly #flushes = new Cell();
  readonly #derived = new Cell();
  readonly #samples: CounterSet<'same' | 'differs'>;

  constructor(chain: string) {
    const memory = new TierMetrics(chain, 'memory');
    const disk = new TierMetrics(chain, 'disk');
    this.memory = memory;
    this.disk = disk;
    this.#tiers = [memory, disk];
    this.#memory = memory;
    this.#labels = { chain };
    this.#depths = new LogHistogram(this.#labels, COUNT_SCALE);
    this.#sideCalls = new CounterSet(this.#labels, 'kind', LABELS.sideCalls);
    this.#samples = new CounterSet(this.#labels, 'outcome', LABELS.derivedOutcomes);
  }

  /** A reorg took so many entries of so many heights. */
  onReorg(entries: number, heights: number): void {
    this.#drops.add(entries);
    this.#depths.observe(heights);
  }

  onFlush(): void {
    this.#flushes.add();
  }

  /** A call of our own was sent to a node. */
  onSideCall(kind: SideCall): void {
    this.#sideCalls.add(kind);
  }

  /** A stored answer was compared with a node's. */
  onVerified(isSame: boolean): void {
    this.#verified.add();
    if (!isSame) this.#differences.add();
  }

  /** A call was answered from other answers. */
  onDerived(): void {
    this.#derived.add();
  }

  /** A derived answer was compared with a node's own. */
  onSampled(isSame: boolean): void {
    this.#samples.add(isSame ? 'same' : 'differs');
  }

  emit(sheet: Sheet): void {
    for (const tier of this.#tiers) tier.emit(sheet);
    this.#memory.emitLevels(sheet);
    sheet.count('cacheReorgDrops', this.#labels, this.#drops);
    sheet.histogram('cacheReorgHeights', this.#depths);
    sheet.count('cacheFlushes', this.#labels, this.#flushes);
    sheet.counters('cacheSideCalls', this.#sideCalls);
    sheet.count('cacheVerified', this.#labels, this.#verified);
    sheet.count('cacheDifferences', this.#labels, this.#differences);
    sheet.count('cacheDerived', this.#labels, this.#derived);
    sheet.counters('cacheDeriveSamples', this.#samples);
  }
}
