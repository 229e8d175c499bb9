/**
 * Nodes that the data of each node is from, by its name: the source of the snapshot that it was restored from, and those that the
 * source's own was from. Empty = it gathered its data itself. Null = that cannot be told.
 */
export type Origins = ReadonlyMap<string, readonly string[] | null>;

/**
 * Whether a node's data has the same root as that of another: then both have the same blocks because one was copied, and neither
 * vouches for the other. Where it cannot be told, they are taken to be kin. Nodes that are not in `origins` stand for themselves.
 */
export function isKin(one: string, other: string, origins: Origins): boolean {
  const [mine, theirs] = [origins.get(one) ?? [], origins.get(other)];
  if (one === other || theirs === null) return true;
  const family = new Set([one, ...mine]);
  return [other, ...(theirs ?? [])].some((name) => family.has(name));
}
