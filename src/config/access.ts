import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { count, flag, listOf, ratio, section } from './fields.ts';
import { labelName, methodList } from './upstream.ts';

const D = DEFAULTS.access;
const K = DEFAULTS.accessKey;

const rateOf = (defaultRate: number, text: string) => ratio(defaultRate, [0, 1_000_000_000], text);
const inFlightOf = (defaultCount: number, text: string) => count(defaultCount, [0, 1_000_000], text);

const keyObject = z.strictObject(
  {
    name: labelName(
      'must be 1 to 63 letters, digits, dots, dashes or underscores',
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/,
      'Name of the client that holds the key.',
    ),
    sha256: z
      .string({ error: 'must be 64 hex digits in quotes' })
      .regex(/^[0-9a-fA-F]{64}$/, { error: 'must be 64 hex digits' })
      .describe('SHA-256 of the key in hex; the key itself is nowhere in the configuration.'),
    chains: listOf(z.string({ error: 'must be the name of a chain' }), K.chains, 64, 'Chains it opens; empty = all.'),
    methods: section(
      {
        allow: methodList('Only these may be called; empty = all that the chain lets through.'),
        deny: methodList('These may not be called.'),
      },
      'Which of the methods that the chain lets through the key opens.',
    ),
    rate: section(
      {
        unitsPerS: rateOf(K.rate.unitsPerS, 'Units per second, each call by the weight of its method; 0 = no limit.'),
        burst: rateOf(K.rate.burst, 'Most units that can be saved up; 0 = those of one second.'),
      },
      'How fast the key may call.',
    ),
    maxInFlight: inFlightOf(K.maxInFlight, 'Most calls of the key under way at once; 0 = no limit.'),
    explain: flag(K.explain, 'Answer x-tidegate-explain: 1 with the way that the call took, names of nodes included.'),
  },
  { error: 'must be a mapping' },
);

/** Who may call, and how much. */
export const accessSection = section(
  {
    required: flag(D.required, 'Refuse whoever shows no key.'),
    keys: listOf(keyObject, D.keys, 10_000, 'The keys of clients.'),
    perIp: section(
      {
        callsPerS: rateOf(D.perIp.callsPerS, 'Calls per second; 0 = no limit.'),
        burst: rateOf(D.perIp.burst, 'Most calls that can be saved up; 0 = those of one second.'),
        maxInFlight: inFlightOf(D.perIp.maxInFlight, 'Most calls under way at once; 0 = no limit.'),
        maxTracked: count(
          D.perIp.maxTracked,
          [1, 1_000_000],
          'Most addresses that are remembered; the one seen longest ago is forgotten first.',
        ),
      },
      'Limits on each client address, an IPv6 address by its first 64 bits; they hold beside those of a key.',
    ),
  },
  'Keys of clients and limits on them.',
);
