import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { count, flag, ratio, section, sizeBytes } from './fields.ts';

const GIB = 1024 ** 3;
const D = DEFAULTS.chain.cache;
const RULES = ['static', 'head', 'byBlock', 'never'] as const;

/** How the answers of one method may be stored, against or beyond the catalogue. */
const methodRule = z.strictObject(
  {
    rule: z
      .enum(RULES, { error: `must be one of ${RULES.join(', ')}` })
      .describe(
        'static: for ever; byBlock: by the block that its params name; head: until the next head; never: not at all.',
      ),
    blockIndex: z.exactOptional(
      count(0, [0, 15], 'Index in params of the block number, tag or hash; absent = as the catalogue says.').unwrap(),
    ),
  },
  { error: 'must be a mapping' },
);

const METHOD = /^[A-Za-z0-9_.:/-]{1,128}$/;

const MODES = ['auto', 'off'] as const;

const deriveSection = section(
  {
    mode: z
      .enum(MODES, { error: `must be one of ${MODES.join(', ')}` })
      .default(D.derive.mode)
      .describe('Where samples have proven, for each client version, that the node itself would say the same (auto), or never (off).'),
    samples: count(D.derive.samples, [1, 10_000], 'Different derived answers of a pair of methods that must equal the node\'s own.'),
    recheckSample: ratio(D.derive.recheckSample, [0, 1], 'Share of derived answers that a node is asked for all the same, to compare.'),
    maxTransactions: count(D.derive.maxTransactions, [1, 10_000_000], 'Most transactions whose block is remembered, in each process.'),
  },
  'Answers made of other stored answers, such as a transaction of its block.',
);

const memoSection = section(
  {
    maxBodies: count(D.memo.maxBodies, [0, 1_048_576], 'Most request bodies whose stored answers are known by their bytes; 0 = none.'),
    maxBodyBytes: sizeBytes(D.memo.maxBodyBytes, [64, 64 * 1024], 'A longer body is read each time.'),
    maxCalls: count(D.memo.maxCalls, [0, 1_048_576], 'Most calls whose key is remembered until the next head; 0 = none.'),
  },
  'What reading calls for stored answers came to, in each process.',
);

/** Answers of one chain that are kept. */
export const chainCacheSection = section(
  {
    enabled: flag(D.enabled, 'Answer repeated calls from memory where that cannot be wrong.'),
    maxBytes: sizeBytes(D.maxBytes, [1024, 1024 * GIB], 'Most memory for stored answers, in each process.'),
    maxEntryBytes: sizeBytes(D.maxEntryBytes, [1024, GIB], 'An answer larger than this is not stored.'),
    verifySample: ratio(
      D.verifySample,
      [0, 1],
      'Share of answers from the cache that a node is asked again, to count differences.',
    ),
    derive: deriveSection,
    memo: memoSection,
    methods: z
      .record(z.string().regex(METHOD, { error: 'is not the name of a method' }), methodRule, {
        error: 'must be a mapping of method to rule',
      })
      .default(() => ({ ...D.methods }))
      .describe('Methods whose answers are stored otherwise than the catalogue says, by name.'),
  },
  'Stored answers.',
);

/** What all chains keep on disk. */
export const cacheSection = section(
  {
    disk: section(
      {
        path: z
          .string({ error: 'must be a path' })
          .max(4096)
          .default(DEFAULTS.cache.disk.path)
          .describe('File for answers that are final, which survive a restart; "" = none.'),
        maxBytes: sizeBytes(
          DEFAULTS.cache.disk.maxBytes,
          [1024 * 1024, 1024 * GIB],
          'Most bytes of answers in it; the oldest go first.',
        ),
      },
      'Second tier, on a local disk.',
    ),
  },
  'Stored answers, over all chains.',
);
