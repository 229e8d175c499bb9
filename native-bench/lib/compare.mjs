// Two files of results side by side: how each figure of the newer stands to the older's.

/** Share that the newer's median must be away by, beyond what the rounds themselves spread. */
const NOTABLE = 0.03;

const overlaps = (a, b) => a.min <= b.max && b.min <= a.max;

/** @returns rows of { place, key, before, after, ratio, low, high, isNotable } of what both have */
export function compare(before, after) {
  const rows = [];
  for (const [name, { tables }] of Object.entries(after.cases)) {
    for (const table of tables) {
      const old = before.cases[name]?.tables.find(({ title }) => title === table.title);
      for (const [peer, { figures }] of Object.entries(table.rows)) {
        for (const [key, now] of Object.entries(figures)) {
          const then = old?.rows[peer]?.figures[key];
          if (then === undefined || !(then.median > 0 && then.min > 0)) continue;
          const ratio = now.median / then.median;
          rows.push({ place: `${name}, ${table.title}, ${peer}`, key, before: then, after: now, ratio, low: now.min / then.max, high: now.max / then.min, isNotable: !overlaps(then, now) && Math.abs(ratio - 1) > NOTABLE });
        }
      }
    }
  }
  return rows;
}
