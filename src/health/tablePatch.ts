import type { RouteEntry, RouteTable } from './table.ts';

/** What makes one route table of the one before: everything small, and the entries that differ. */
export interface TablePatch extends Omit<RouteTable, 'entries'> {
  /** Entries that are not the same objects as before, by index. */
  readonly changed: readonly RouteEntry[];
}

/** Compares by identity: a table keeps the entries that did not change. */
export function diffTable(before: RouteTable, after: RouteTable): TablePatch {
  const { entries, ...rest } = after;
  return { ...rest, changed: entries.filter((entry, i) => entry !== before.entries[i]) };
}

/** @param local turns an entry as told into one of this process; entries that did not change stay the same objects */
export function patchTable(before: RouteTable, patch: TablePatch, local: (entry: RouteEntry) => RouteEntry): RouteTable {
  const { changed, ...rest } = patch;
  const entries = before.entries.slice();
  for (const entry of changed) entries[entry.index] = local(entry);
  return { ...rest, entries };
}
