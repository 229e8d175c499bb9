import { DEFAULTS } from './defaults.ts';
import { count, durationMs, flag, section, sizeBytes } from './fields.ts';

const KIB = 1024;
const GIB = 1024 ** 3;
const D = DEFAULTS.chain.logs;

/** Log queries over the limits of nodes. */
export const logsSection = section(
  {
    enabled: flag(D.enabled, 'Cut `eth_getLogs` into what nodes take, and put the answers together; false = each query goes to one node as it is.'),
    maxConcurrency: count(D.maxConcurrency, [1, 10_000], 'Most calls of all log queries under way, in each process.'),
    maxQueryConcurrency: count(D.maxQueryConcurrency, [1, 1000], 'Most calls of one query under way.'),
    maxRangeBlocks: count(D.maxRangeBlocks, [1, 1_000_000_000], 'Most blocks of one call, also to nodes that no limit is known of.'),
    maxCalls: count(D.maxCalls, [1, 1_000_000], 'A query that would take more calls, as far as limits are known, is refused.'),
    targetBytes: sizeBytes(D.targetBytes, [KIB, GIB], 'Further calls of a query are cut so that one answer has about this size.'),
    maxAnswerBytes: sizeBytes(D.maxAnswerBytes, [KIB, GIB], 'Most bytes of all logs of one query; it is refused beyond.'),
    maxFilterItems: count(D.maxFilterItems, [1, 100_000], 'Most addresses, and most alternatives in one topic position.'),
    trustBloom: flag(D.trustBloom, "Blocks' logsBloom tells what logs they have; false for chains that leave it empty."),
    blocks: section(
      { maxBytes: sizeBytes(D.blocks.maxBytes, [0, 64 * GIB], 'Most memory for them, in each process.') },
      'All logs of blocks that are not final yet, proven whole by their bloom, and kept by block hash.',
    ),
    cache: section(
      {
        maxBytes: sizeBytes(D.cache.maxBytes, [0, 64 * GIB], 'Most memory for them, in each process; 0 = none are stored.'),
        maxFilters: count(D.cache.maxFilters, [1, 100_000], 'Most filters of which something is stored.'),
      },
      'Logs of final blocks, by filter and interval of blocks: an overlapping query asks only for what is missing.',
    ),
    filters: section(
      {
        enabled: flag(D.filters.enabled, 'Keep filters here; false = they live on single nodes.'),
        max: count(D.filters.max, [1, 1_000_000], 'Most filters of all clients together.'),
        maxPerClient: count(D.filters.maxPerClient, [1, 1_000_000], 'Most filters of one client.'),
        idleMs: durationMs(D.filters.idleMs, [1000, 86_400_000], 'A filter that nobody reads for so long is dropped.'),
        maxHeldBytes: sizeBytes(D.filters.maxHeldBytes, [KIB, GIB], 'Most bytes of unread changes of one filter; it is dropped beyond.'),
      },
      'Filters that clients poll (`eth_newFilter` and its like), fed by the blocks that the edge follows.',
    ),
  },
  'Log queries.',
);
