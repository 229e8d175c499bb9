import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, flag, section, sizeBytes } from './fields.ts';

const S = DEFAULTS.chain.subscriptions;
const W = DEFAULTS.server.webSocket;
const HOUR_MS = 3_600_000;
const GIB = 1_073_741_824;

/** How a chain's blocks are followed for those who subscribed. */
export const subscriptionsSection = section(
  {
    tipRace: flag(S.tipRace, 'Tell of a new head when the first node does, if its parent is trusted: one block is taken on one word.'),
    windowBlocks: count(S.windowBlocks, [4, 100_000], 'Longest gap and deepest reorg that are made good; beyond it clients get a notice.'),
    windowBytes: sizeBytes(S.windowBytes, [1024, GIB], 'Logs that are kept to be taken back in a reorg.'),
    graceMs: durationMs(S.graceMs, [0, HOUR_MS], 'How long a subscription that nobody wants any more is kept up.'),
    hedgeMs: durationMs(S.hedgeMs, [10, 60_000], 'Time after which a block is asked of another node too.'),
    fetchTimeoutMs: durationMs(S.fetchTimeoutMs, [100, 300_000], 'Longest time for a node to answer about a block.'),
    settleMs: durationMs(S.settleMs, [0, HOUR_MS], 'How long logs that do not fit their block are asked for again before a notice tells of them.'),
    trustBloom: flag(S.trustBloom, 'The logsBloom of blocks tells what logs they hold; false where the chain leaves it empty.'),
    maxFilterItems: count(S.maxFilterItems, [1, 100_000], 'Most addresses, and most alternatives for one topic, in a logs subscription.'),
    maxPending: count(S.maxPending, [1, 10_000_000], 'Hashes of pending transactions that are remembered, so that each is told once.'),
  },
  'Subscriptions of clients.',
);

/** WebSocket connections of clients. */
export const webSocketSection = section(
  {
    enabled: flag(W.enabled, 'Accept WebSocket connections on the client port.'),
    maxMessageBytes: sizeBytes(W.maxMessageBytes, [1024, GIB / 4], 'Largest message of a client.'),
    maxConnectionsPerIp: count(W.maxConnectionsPerIp, [0, 1_000_000], 'Most connections of one address; 0 = no limit.'),
    maxConnectionsPerKey: count(W.maxConnectionsPerKey, [0, 1_000_000], 'Most connections of one key; 0 = no limit.'),
    maxSubscriptions: count(W.maxSubscriptions, [1, 100_000], 'Most subscriptions of one connection.'),
    maxInFlight: count(W.maxInFlight, [1, 100_000], 'Most calls and batches of one connection under way at once.'),
    idleTimeoutMs: durationMs(W.idleTimeoutMs, [8_000, 960_000], 'Time without a sign of life, pongs included, after which a connection is closed.'),
    softLimitBytes: sizeBytes(W.softLimitBytes, [1024, GIB], 'A connection with more than this unsent is served from a queue of its own.'),
    hardLimitBytes: sizeBytes(W.hardLimitBytes, [1024, GIB], 'Most notices that wait in such a queue.'),
    slowPolicy: choice(
      ['disconnect', 'drop-oldest', 'conflate'],
      W.slowPolicy,
      'What happens then: close the connection, drop the oldest notices and say so, or keep only the newest head.',
    ),
    drainGraceMs: durationMs(W.drainGraceMs, [0, HOUR_MS], 'Time that connections get at shutdown before they are closed with code 1012.'),
  },
  'WebSocket connections of clients.',
);
