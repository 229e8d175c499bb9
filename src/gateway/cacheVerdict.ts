/** As told in `x-tidegate-cache`: the edge's own answer; of a node, and looked for in the cache; by another's call; not the cache's business. */
export type CacheVerdict = 'hit' | 'miss' | 'coalesced' | 'bypass';
