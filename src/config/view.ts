import { DEFAULTS } from './defaults.ts';
import { choice, durationMs, section } from './fields.ts';

const D = DEFAULTS.chain.view;

/** One consistent view of the chain over all nodes. */
export const viewSection = section(
  {
    pinning: choice(
      ['auto', 'always', 'never'],
      D.pinning,
      'When `latest` and `finalized` in params are written as the blocks they stand for: auto = where the node may be elsewhere, always = in every call, by hash where EIP-1898 allows it, never.',
    ),
    maxWaitMs: durationMs(D.maxWaitMs, [0, 60_000], 'Longest wait for a node, or the trusted head, to reach a block that the client has seen.'),
    nonceTtlMs: durationMs(D.nonceTtlMs, [0, 3_600_000], "How long a sender's last transaction through this process is remembered for its next nonce; 0 = not at all."),
  },
  'What clients see of the chain.',
);
