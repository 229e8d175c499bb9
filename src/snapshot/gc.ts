/** A stored object as the collector sees it. */
export interface StoredObject {
  readonly name: string;
  /** When it was written, or last used by a capture. */
  readonly touchedAtMs: number;
}

/** The store as it was listed. */
export interface GcFacts {
  readonly objects: readonly StoredObject[];
  /** Objects found unused before, and when first. */
  readonly marked: ReadonlyMap<string, number>;
  readonly trash: readonly { readonly name: string; readonly trashedAtMs: number }[];
  /** Names that some manifest needs. */
  readonly needed: ReadonlySet<string>;
  /** When the oldest capture under way began; null when there is none. */
  readonly captureSinceMs: number | null;
}

/** How long each phase waits. */
export interface GcRules {
  /** From the mark to the trash. */
  readonly graceMs: number;
  /** From the trash to the end. */
  readonly trashMs: number;
}

export interface GcPlan {
  readonly mark: readonly string[];
  readonly unmark: readonly string[];
  readonly trash: readonly string[];
  /** Back from the trash: a manifest needs them, and they were not written again since. */
  readonly recover: readonly string[];
  readonly remove: readonly string[];
}

/**
 * One round of collection. Nothing is removed in the round that finds it unused: it is marked, a grace later moved to the
 * trash, and later still removed, and a manifest that appears meanwhile gets it back. What a capture under way may have
 * written or used is left alone. Marks from the future (the clock was set back) count from now on.
 */
export function planGc({ objects, marked, trash, needed, captureSinceMs }: GcFacts, rules: GcRules, nowMs: number): GcPlan {
  const isFree = ({ name, touchedAtMs }: StoredObject): boolean =>
    !needed.has(name) && (captureSinceMs === null || touchedAtMs < captureSinceMs);
  const free = objects.filter(isFree);
  const freeNames = new Set(free.map(({ name }) => name));
  const ripe = free.filter(({ name, touchedAtMs }) => {
    const markedAtMs = marked.get(name);
    return markedAtMs !== undefined && markedAtMs <= nowMs && touchedAtMs <= markedAtMs && nowMs - markedAtMs >= rules.graceMs;
  });
  const ripeNames = new Set(ripe.map(({ name }) => name));
  const isStale = ({ name, touchedAtMs }: StoredObject): boolean => {
    const markedAtMs = marked.get(name);
    return markedAtMs === undefined || markedAtMs > nowMs || touchedAtMs > markedAtMs;
  };
  const there = new Set(objects.map(({ name }) => name));
  return {
    mark: free.filter(isStale).map(({ name }) => name),
    unmark: [...marked.keys()].filter((name) => !freeNames.has(name) || ripeNames.has(name)),
    trash: [...ripeNames],
    recover: trash.filter(({ name }) => needed.has(name) && !there.has(name)).map(({ name }) => name),
    remove: trash
      .filter(({ name, trashedAtMs }) => (!needed.has(name) || there.has(name)) && nowMs - trashedAtMs >= rules.trashMs)
      .map(({ name }) => name),
  };
}
