import { DEFAULTS } from './defaults.ts';
import { choice, count, durationMs, flag, quantile, ratio, section } from './fields.ts';

const D = DEFAULTS.chain.routing;
const HOUR_MS = 3_600_000;

const affinity = (name: keyof typeof D.affinity, text: string) =>
  choice(['request', 'contract', 'block', 'client', 'none'], D.affinity[name], text);

/** Which node a call goes to, for how long, and what happens when it fails. */
export const routingSection = section(
  {
    affinity: section(
      {
        read: affinity('read', 'Plain reads.'),
        logs: affinity('logs', 'Log queries.'),
        trace: affinity('trace', 'Traces and debug calls.'),
        write: affinity('write', 'Sending transactions.'),
        filter: affinity('filter', 'Filters, which live on one node.'),
        node: affinity('node', 'Calls about the node itself.'),
        dev: affinity('dev', 'Calls of the development families.'),
      },
      'What keeps calls on the same node, by class of method: request (method and params), contract (its address), block, client, none.',
    ),
    heavy: section(
      {
        maxInFlight: count(D.heavy.maxInFlight, [1, 100_000], 'Most of them under way, in each process; the others wait in line.'),
        maxWaiting: count(D.heavy.maxWaiting, [0, 1_000_000], 'Most that wait; further ones are refused.'),
      },
      'Traces and debug calls, which have slots of their own so that they cannot crowd out light calls.',
    ),
    boundedLoad: ratio(
      D.boundedLoad,
      [0, 100],
      'How far over its fair share of calls in flight a node may go before the next in order takes over.',
    ),
    deadlineMs: durationMs(D.deadlineMs, [1, HOUR_MS], 'Longest time a call takes, all attempts together.'),
    budgetWaitMs: durationMs(
      D.budgetWaitMs,
      [0, HOUR_MS],
      'Longest time a call waits when all nodes that could take it have used up their budgets, or have as many calls in flight as they may; 0 = it is refused at once.',
    ),
    connectTimeoutMs: durationMs(D.connectTimeoutMs, [1, HOUR_MS], 'Longest time to connect to a node.'),
    attemptTimeout: section(
      {
        quantile: quantile(
          D.attemptTimeout.quantile,
          "Quantile of the node's own latency that the timeout is made from.",
        ),
        factor: ratio(D.attemptTimeout.factor, [1, 100], 'Times that quantile.'),
        minMs: durationMs(D.attemptTimeout.minMs, [1, HOUR_MS], 'Shortest timeout of an attempt.'),
        maxMs: durationMs(D.attemptTimeout.maxMs, [1, HOUR_MS], 'Longest timeout of an attempt.'),
      },
      'How long one node may take.',
    ),
    maxAttempts: count(D.maxAttempts, [1, 16], 'Most attempts of one call, the first and hedges included.'),
    retryBudget: section(
      {
        percent: ratio(D.retryBudget.percent, [0, 100], 'Retries allowed, in percent of calls.'),
        reservePerS: ratio(
          D.retryBudget.reservePerS,
          [0, 1_000_000],
          'Retries allowed beside the percentage, per second.',
        ),
      },
      'How much extra load retries and hedges may make.',
    ),
    hedge: section(
      {
        enabled: flag(D.hedge.enabled, 'Ask a second node when the first is slow.'),
        quantile: quantile(D.hedge.quantile, "Quantile of the node's own latency that the delay is made from."),
        factor: ratio(D.hedge.factor, [0.1, 100], 'Times that quantile.'),
        minMs: durationMs(D.hedge.minMs, [0, HOUR_MS], 'Shortest delay before a hedge.'),
        maxMs: durationMs(D.hedge.maxMs, [1, HOUR_MS], 'Longest delay before a hedge.'),
        maxHedges: count(D.hedge.maxHedges, [0, 4], 'Most hedges of one call.'),
      },
      'Second requests for slow idempotent calls.',
    ),
    tierReturnMs: durationMs(
      D.tierReturnMs,
      [0, HOUR_MS],
      'How long a better tier must be able to serve before it takes over again.',
    ),
    broadcast: count(D.broadcast, [1, 16], 'Nodes that a raw transaction is sent to at once; the first that takes it answers.'),
    nullRetry: flag(D.nullRetry, 'Ask one other node when a transaction, receipt or block is not found.'),
  },
  'Routing, timeouts, retries, hedging.',
);
