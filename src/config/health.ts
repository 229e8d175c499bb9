import * as z from 'zod';
import { DEFAULTS } from './defaults.ts';
import { count, durationMs, ratio, section } from './fields.ts';

const D = DEFAULTS.chain.health;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const QUORUM = 'must be auto or a whole number from 1 to 256';
const quorum = z
  .union([z.literal('auto'), z.int({ error: QUORUM }).min(1, { error: QUORUM }).max(256, { error: QUORUM })], {
    error: QUORUM,
  })
  .default(D.trustedHead.quorum)
  .describe('Nodes that must agree on a head; auto = a majority of those that answer.');

/** When a node is judged ill, and how it comes back. */
export const healthSection = section(
  {
    probeIntervalMs: durationMs(
      D.probeIntervalMs,
      [0, HOUR_MS],
      'Time between probes; 0 = half the block time, from 250ms to 5s.',
    ),
    probeTimeoutMs: durationMs(D.probeTimeoutMs, [1, HOUR_MS], 'Longest time a probe may take.'),
    downAfter: count(
      D.downAfter,
      [1, 100],
      'Refused or timed-out probes in a row that make a node down; one is enough after a failed call.',
    ),
    upAfter: count(D.upAfter, [1, 100], 'Good probes in a row that bring a node back.'),
    lag: section(
      {
        maxBlocks: count(D.lag.maxBlocks, [1, 1_000_000], 'Blocks behind the trusted head that eject a node.'),
        maxMs: durationMs(
          D.lag.maxMs,
          [0, DAY_MS],
          'Time behind the trusted head that ejects a node; 0 = two block times, 5s at least.',
        ),
        returnBlocks: count(D.lag.returnBlocks, [0, 1_000_000], 'Blocks behind at which an ejected node may return.'),
        tolerance: count(D.lag.tolerance, [0, 1_000_000], 'Blocks behind at the tip that do not count as lag.'),
      },
      'Sync lag.',
    ),
    failures: section(
      {
        rate: ratio(D.failures.rate, [0.01, 1], 'Share of failed calls in the window that ejects a node.'),
        minSamples: count(D.failures.minSamples, [1, 1_000_000], 'Calls in the window before the share counts.'),
        windowMs: durationMs(D.failures.windowMs, [1000, HOUR_MS], 'Length of the window.'),
      },
      'Failed calls.',
    ),
    latency: section(
      {
        factor: ratio(D.latency.factor, [1, 1000], "Times the other nodes' latency that ejects a node."),
        minMs: durationMs(D.latency.minMs, [0, HOUR_MS], 'Latency below which no node is an outlier.'),
        minSamples: count(D.latency.minSamples, [1, 1_000_000], 'Calls before latency is judged.'),
      },
      'Latency outliers.',
    ),
    ejection: section(
      {
        baseMs: durationMs(
          D.ejection.baseMs,
          [1, DAY_MS],
          'How long a first ejection lasts; it doubles with each further one.',
        ),
        maxMs: durationMs(D.ejection.maxMs, [1, DAY_MS], 'Longest ejection.'),
        maxShare: ratio(D.ejection.maxShare, [0, 1], 'Largest share of nodes that judgement may eject.'),
        panicShare: ratio(
          D.ejection.panicShare,
          [0, 1],
          'When a smaller share of nodes than this could serve, judgements are suspended.',
        ),
      },
      'Ejection by judgement.',
    ),
    ramp: section(
      {
        durationMs: durationMs(
          D.ramp.durationMs,
          [0, HOUR_MS],
          'Time in which a returned node gets back to full weight.',
        ),
        minShare: ratio(D.ramp.minShare, [0.01, 1], 'Share of its weight that it starts with.'),
      },
      'Slow start of a returned node.',
    ),
    probation: section(
      { samples: count(D.probation.samples, [1, 1000], 'Good probes that a node must pass before it ramps up.') },
      'Trial of an ejected node.',
    ),
    trustedHead: section(
      {
        quorum,
        maxStep: count(D.trustedHead.maxStep, [1, 1_000_000], 'Most blocks that the trusted head may advance at once.'),
        reorgDepth: count(
          D.trustedHead.reorgDepth,
          [1, 1_000_000],
          'Deepest reorganisation that the trusted head follows.',
        ),
        finalityDepth: count(
          D.trustedHead.finalityDepth,
          [0, 1_000_000],
          'Blocks below the head at which a block counts as final where no node tells; 0 = none does.',
        ),
      },
      'How the head of the chain is agreed.',
    ),
  },
  'Probes, lag, ejection and return.',
);
