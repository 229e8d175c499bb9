import { DEFAULTS } from './defaults.ts';
import { count, flag, section } from './fields.ts';

const D = DEFAULTS.chain.coalescing;

/** Equal calls in flight. */
export const coalescingSection = section(
  {
    enabled: flag(D.enabled, 'Let equal calls in flight share one call to a node.'),
    maxFlights: count(D.maxFlights, [1, 1_000_000], 'Most different calls in flight that others can join, in each process.'),
    maxFollowers: count(D.maxFollowers, [1, 1_000_000], 'Most calls that wait for one; further ones go by themselves.'),
  },
  'Equal calls in flight.',
);
