/** How many snapshots of each age stay: grandfather, father, son. */
export interface Retention {
  readonly last: number;
  readonly hourly: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
}

/** A snapshot as retention sees it. */
export interface Kept {
  readonly id: string;
  readonly sequence: number;
  readonly createdAtMs: number;
  /** Proven as far as the policy asks. */
  readonly isProven: boolean;
  /** Why it must stay whatever its age; null when nothing holds it. */
  readonly pinnedBy: string | null;
}

/** What stays, with the reasons, and what goes. */
export interface RetentionPlan {
  readonly keep: ReadonlyMap<string, readonly string[]>;
  readonly drop: readonly string[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Months since March of year 0. Source: days_from_civil backwards (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
const monthOf = (atMs: number): number => {
  const day = Math.floor(atMs / DAY_MS) + 719_468;
  const era = Math.floor(day / 146_097);
  const ofEra = day - era * 146_097;
  const year = Math.floor((ofEra - Math.floor(ofEra / 1460) + Math.floor(ofEra / 36_524) - Math.floor(ofEra / 146_096)) / 365);
  const ofYear = ofEra - (365 * year + Math.floor(year / 4) - Math.floor(year / 100));
  return (era * 400 + year) * 12 + Math.floor((5 * ofYear + 2) / 153);
};

/** Number of the UTC hour, day, week (from Monday) and month. */
const BUCKETS = {
  hourly: (atMs: number) => Math.floor(atMs / HOUR_MS),
  daily: (atMs: number) => Math.floor(atMs / DAY_MS),
  weekly: (atMs: number) => Math.floor((Math.floor(atMs / DAY_MS) + 3) / 7),
  monthly: monthOf,
} as const;

/**
 * Which snapshots of one chain stay. Of each of the newest N hours, days, weeks and months that have one, the newest stays;
 * the newest and the newest proven stay always, and what is pinned. The time of now plays no part, so a wrong clock drops nothing.
 */
export function planRetention(snapshots: readonly Kept[], rules: Retention): RetentionPlan {
  const newest = snapshots.toSorted((a, b) => b.sequence - a.sequence);
  const keep = new Map<string, string[]>();
  const hold = (id: string, why: string): void => void keep.set(id, [...(keep.get(id) ?? []), why]);
  for (const { id } of newest.slice(0, Math.max(1, rules.last))) hold(id, 'last');
  const proven = newest.find(({ isProven }) => isProven);
  if (proven !== undefined) hold(proven.id, 'last proven');
  for (const { id, pinnedBy } of newest) if (pinnedBy !== null) hold(id, `pinned: ${pinnedBy}`);
  for (const rule of ['hourly', 'daily', 'weekly', 'monthly'] as const) {
    const seen = new Set<number>();
    for (const { id, createdAtMs } of newest) {
      const bucket = BUCKETS[rule](createdAtMs);
      if (seen.has(bucket) || seen.size >= rules[rule]) continue;
      seen.add(bucket);
      hold(id, rule);
    }
  }
  return { keep, drop: newest.filter(({ id }) => !keep.has(id)).map(({ id }) => id) };
}
