import { FAULTS } from '../base/fault.ts';
import type { FaultKind } from '../base/fault.ts';
import type { StoredClass } from '../cache/entry.ts';
import type { OutcomeClass } from '../chain/outcome.ts';
import type { StateReason, UpstreamState } from '../health/state.ts';
import type { SlowAction } from '../subs/member.ts';
import type { Refusal } from '../subs/source.ts';
import type { TopicKind } from '../subs/topic.ts';

/** One metric, as it is exposed and documented. */
export interface MetricSpec {
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Base unit of the value. */
  readonly unit: string;
  readonly help: string;
}

const PREFIX = 'tidegate_';
const CHAIN = ['chain'];
const UPSTREAM = ['chain', 'upstream'];
const TIER = ['chain', 'tier', 'class'];

type Kind<Type extends MetricSpec['type']> = readonly [type: Type, unit: string];

const row = <Type extends MetricSpec['type']>(name: string, kind: Kind<Type>, labels: readonly string[], help: string): MetricSpec & { readonly type: Type } =>
  ({ name: PREFIX + name, type: kind[0], unit: kind[1], labels, help });

const count = (unit: string): Kind<'counter'> => ['counter', unit];
const gauge = (unit: string): Kind<'gauge'> => ['gauge', unit];
const spread = (unit: string): Kind<'histogram'> => ['histogram', unit];

/** Every metric of the gateway beside those of the process. `docs/metrics.md` lists the same rows; a test compares both ways. */
export const METRICS = {
  buildInfo: row('build_info', gauge('1'), ['version', 'node_version'], 'Always 1; the labels tell what runs.'),
  clientConnections: row('client_connections', gauge('connections'), [], 'Client connections that are open.'),
  inFlight: row('in_flight', gauge('calls'), [], 'Calls of clients under way.'),
  batchItems: row('batch_items', spread('items'), [], 'Entries of each batch of a client.'),
  refusals: row('refusals_total', count('requests'), ['kind'], 'Requests and calls that were refused before a node was asked, by kind of error.'),
  clientGone: row('client_gone_total', count('requests'), [], 'Requests whose client left before its answer.'),
  requests: row('requests_total', count('calls'), ['chain', 'outcome'], 'Calls of clients by outcome: result, error (of a node, passed on), gone, or the kind of our own error.'),
  requestDuration: row('request_duration_seconds', spread('seconds'), CHAIN, 'Time from the whole call to its whole answer; of one that is handed on as it comes, to its beginning.'),
  methodRequests: row('method_requests_total', count('calls'), ['chain', 'method'], 'Calls of clients by method of the catalogue, or other. A series appears with its first call.'),
  upstreamRequests: row('upstream_requests_total', count('attempts'), ['chain', 'upstream', 'outcome'], 'Attempts at a node by what they came to.'),
  upstreamDuration: row('upstream_request_duration_seconds', spread('seconds'), UPSTREAM, 'Time of the attempts at a node that were not cancelled.'),
  upstreamBatches: row('upstream_batches_total', count('messages'), ['chain', 'upstream', 'outcome'], 'Messages of several calls to a node, by how it took them.'),
  upstreamBatchCalls: row('upstream_batch_calls_total', count('calls'), UPSTREAM, 'Calls that left in a message with others.'),
  upstreamSocketLost: row('upstream_socket_lost_total', count('times'), UPSTREAM, 'Times a WebSocket for calls to the node was lost, or could not be opened.'),
  upstreamStrays: row('upstream_strays_total', count('messages'), UPSTREAM, 'Messages on a WebSocket for calls that answered nobody, late answers to calls given up included, or were malformed.'),
  upstreamState: row('upstream_state', gauge('1'), ['chain', 'upstream', 'state'], '1 for the state that the node is in, 0 for the others.'),
  upstreamHead: row('upstream_head_block', gauge('block number'), UPSTREAM, 'Newest block that the node told of; -1 while unknown.'),
  upstreamLagBlocks: row('upstream_head_lag_blocks', gauge('blocks'), UPSTREAM, 'Blocks by which the node is behind the trusted head.'),
  upstreamLagSeconds: row('upstream_head_lag_seconds', gauge('seconds'), UPSTREAM, 'Time by which the node is behind the trusted head.'),
  upstreamWeight: row('upstream_weight', gauge('weight'), UPSTREAM, 'Weight in routing: configured weight, score and ramp together; 0 means no client traffic.'),
  upstreamScore: row('upstream_score', gauge('ratio'), UPSTREAM, 'Health score from 0 to 1.'),
  upstreamInFlight: row('upstream_in_flight', gauge('attempts'), UPSTREAM, 'Attempts at the node under way.'),
  upstreamBudget: row('upstream_budget', gauge('units per second'), ['chain', 'upstream', 'unit'], 'Calls and weight per second that the node gets now: what the config allows, less for a while after a 429; 0 = not limited.'),
  upstreamBudgetPassed: row('upstream_budget_passed_total', count('times'), UPSTREAM, 'Times a call found the budget of the node used up.'),
  ejections: row('ejections_total', count('times'), ['chain', 'upstream', 'reason'], 'Times the node was ejected or went down, by reason.'),
  trustedHead: row('trusted_head_block', gauge('block number'), CHAIN, 'Trusted head of the chain; -1 before the first agreement.'),
  trustedFinalized: row('trusted_finalized_block', gauge('block number'), CHAIN, 'Trusted finalized block of the chain; -1 while unknown.'),
  reorgs: row('reorgs_total', count('times'), CHAIN, 'Reorganisations of the trusted chain.'),
  finalityBreaks: row('finality_breaks_total', count('times'), CHAIN, 'Reorganisations that undid a block which the nodes had called final.'),
  reorgDepth: row('reorg_depth', spread('blocks'), CHAIN, 'Blocks that each reorganisation undid.'),
  coalesced: row('coalesced_calls_total', count('calls'), ['chain', 'outcome'], 'Calls that joined an equal one in flight, by what that came to: its answer shared, its lead taken over after it failed, or its failure shared.'),
  streams: row('streams_total', count('answers'), ['chain', 'outcome'], 'Large answers that were handed on as they came, by their end: whole; failed (the node), malformed, too_large, stalled, for which the client was cut off; gone (the client); dropped (before the first byte).'),
  retries: row('retries_total', count('attempts'), ['chain', 'reason'], 'Attempts repeated at another node, by what the one before came to; null = it did not know what was asked for.'),
  hedges: row('hedges_total', count('attempts'), ['chain', 'outcome'], 'Hedged attempts, by whether the hedge gave the answer.'),
  retryBudgetExhausted: row('retry_budget_exhausted_total', count('times'), CHAIN, 'Retries and hedges left out because the budget was used up.'),
  budgetWaits: row('budget_waits_total', count('calls'), CHAIN, 'Times a call waited because no node had budget left.'),
  viewEvents: row('view_events_total', count('times'), ['chain', 'event'], 'What one view of the chain took: pinned (the block was written into the params), off_branch (an answer of another branch was dropped), begun_anew (a reorg overtook the call), min_block_refused.'),
  viewWaits: row('view_waits_total', count('waits'), ['chain', 'outcome'], 'Waits for a node or the trusted head to reach a block that the client has seen, by whether it did within view.maxWaitMs.'),
  sendChecks: row('send_checks_total', count('checks'), ['chain', 'outcome'], 'What came of copies of a raw transaction at further nodes (copy_taken, copy_refused), of its search after "nonce too low" (nonce_known, nonce_used), and nonces that were raised to the sender\'s own last transaction (nonce_raised).'),
  logsCalls: row('logs_calls_total', count('calls'), ['chain', 'kind'], 'Calls to nodes that log queries of clients took: piece (a range), header, block (all logs of a block), receipts (of a block whose logs were in doubt).'),
  logsBlocks: row('logs_blocks_total', count('blocks'), ['chain', 'source'], 'Blocks of log queries by where the answer came from: stored (intervals), asked (ranges), bloom (it rules a match out), block (all logs of a block).'),
  logsRefused: row('logs_refused_total', count('attempts'), CHAIN, 'Log queries that a node refused for their size.'),
  logsDoubts: row('logs_doubts_total', count('answers'), CHAIN, 'Answers of nodes to log queries that could not be whole, and were not taken.'),
  filters: row('filters', gauge('filters'), CHAIN, 'Filters of clients that are kept.'),
  filtersDropped: row('filters_dropped_total', count('filters'), ['chain', 'reason'], 'Filters that were dropped: idle (nobody read them), overflow (too many unread changes), loss (blocks were missing from them).'),
  logsStoredBytes: row('logs_stored_bytes', gauge('bytes'), CHAIN, 'Logs of final blocks that are kept.'),
  workers: row('workers', gauge('processes'), ['state'], 'Worker processes by state; none where one process does everything.'),
  workerDeaths: row('worker_deaths_total', count('times'), ['reason'], 'Ends of worker processes that were not asked for: by themselves (exit), by a signal, or killed because they hung.'),
  workerCpu: row('worker_cpu_seconds_total', count('seconds'), ['worker'], 'Processor time of each worker place, over all processes that held it.'),
  workerMemory: row('worker_resident_memory_bytes', gauge('bytes'), ['worker'], 'Resident memory of the process in each worker place.'),
  cacheDiskUp: row('cache_disk_up', gauge('processes'), [], 'Processes that use the file of stored answers; 0 = none was configured, or it failed.'),
  cacheDiskBytes: row('cache_disk_bytes', gauge('bytes'), [], 'Size of the file of stored answers.'),
  cacheDiskEvictions: row('cache_disk_evictions_total', count('answers'), [], 'Answers dropped from the file for want of room.'),
  cacheEntries: row('cache_entries', gauge('entries'), TIER, 'Answers that are stored in memory, by class, over all processes.'),
  cacheBytes: row('cache_bytes', gauge('bytes'), TIER, 'Size of what is stored in memory, keys and overhead included.'),
  cacheHits: row('cache_hits_total', count('calls'), TIER, 'Calls answered from the cache, by the class of the answer when it was stored.'),
  cacheMisses: row('cache_misses_total', count('calls'), TIER, 'Calls that could have been answered from the cache and were not, by the class of the call.'),
  cacheStores: row('cache_stores_total', count('answers'), TIER, 'Answers stored.'),
  cacheEvictions: row('cache_evictions_total', count('answers'), TIER, 'Answers dropped from memory for want of room.'),
  cacheReorgDrops: row('cache_reorg_drops_total', count('answers'), CHAIN, 'Answers dropped because a reorganisation replaced their block.'),
  cacheReorgHeights: row('cache_reorg_heights', spread('blocks'), CHAIN, 'Heights whose answers each reorganisation dropped.'),
  cacheFlushes: row('cache_flushes_total', count('times'), CHAIN, 'Flushes: by an operator, by a call that changes a development chain, by a broken finality.'),
  cacheSideCalls: row('cache_side_calls_total', count('calls'), ['chain', 'kind'], 'Calls to nodes on behalf of the cache: confirm a block, learn who takes block hashes, compare stored answers, identify the chain, sample derived answers.'),
  cacheVerified: row('cache_verified_total', count('answers'), CHAIN, 'Stored answers that were compared with a node\'s answer for the same block.'),
  cacheDerived: row('cache_derived_total', count('calls'), CHAIN, 'Calls answered from other stored answers; they count as misses of the memory tier too.'),
  cacheDeriveSamples: row('cache_derive_samples_total', count('answers'), ['chain', 'outcome'], 'Derived answers that were compared with a node\'s own before, or while, such answers are used. One that differs ends it for that client version and pair of methods.'),
  cacheDifferences: row('cache_verify_differences_total', count('answers'), CHAIN, 'Comparisons that found a difference.'),
  sockets: row('websocket_connections', gauge('connections'), CHAIN, 'Client WebSocket connections that are open.'),
  subscriptions: row('subscriptions', gauge('subscriptions'), ['chain', 'kind'], 'Subscriptions of clients.'),
  notices: row('notices_total', count('notices'), ['chain', 'kind'], 'Notices sent to clients, one for each client.'),
  noticeDelay: row('notice_delay_seconds', spread('seconds'), CHAIN, 'Time from the first node that told of a block to the last write of its notice.'),
  noticeLosses: row('notice_losses_total', count('times'), ['chain', 'kind'], 'Times that clients were told that something is missing from their subscription.'),
  slowClients: row('slow_client_actions_total', count('times'), ['chain', 'action'], 'What was done about clients that read too slowly; for dropped and conflated, notices.'),
  backfilledBlocks: row('backfilled_blocks_total', count('blocks'), CHAIN, 'Blocks told of to subscribers after the chain had gone on.'),
  backfilledLogs: row('backfilled_logs_total', count('logs'), CHAIN, 'Logs of such blocks.'),
  fetchFailovers: row('subscription_failover_seconds', spread('seconds'), CHAIN, 'Time that a block took when the node asked first failed or was silent.'),
  refusedBlocks: row('refused_block_answers_total', count('answers'), ['chain', 'reason'], 'Answers of nodes about a block that were not taken: they had it not, it was malformed, or did not fit the block.'),
  pendingTold: row('pending_transactions_total', count('transactions'), CHAIN, 'Pending transactions told to subscribers, each once.'),
  upstreamNotices: row('upstream_notices_total', count('notices'), UPSTREAM, 'Notices that the node sent.'),
  upstreamDuplicates: row('upstream_duplicate_notices_total', count('notices'), UPSTREAM, 'Notices of the node that told nothing new.'),
  arrivalDelay: row('upstream_head_delay_seconds', spread('seconds'), UPSTREAM, 'Time from the first node that told of a block to this one.'),
  panic: row('panic', gauge('1'), CHAIN, '1 while judgements are suspended because too few nodes would be left.'),
} as const satisfies Record<string, MetricSpec>;

export type MetricKey = keyof typeof METRICS;

export type CacheTier = 'memory' | 'disk';
/** Calls that the cache makes of itself. */
export type SideCall = 'confirm' | 'hashSupport' | 'verify' | 'identity' | 'derive';

/** How a client's call ended. */
export type RequestOutcome = 'result' | 'error' | 'gone' | FaultKind;
/** What one view of the chain took. */
export type ViewEvent = 'pinned' | 'off_branch' | 'begun_anew' | 'min_block_refused';
/** What a call for a log query is about. */
export type LogsCall = 'piece' | 'header' | 'block' | 'receipts';
/** Where the logs of a block came from. */
export type LogsSource = 'stored' | 'asked' | 'bloom' | 'block';
/** What was seen to beside the sending of a transaction. */
export type SendCheck = 'copy_taken' | 'copy_refused' | 'nonce_known' | 'nonce_used' | 'nonce_raised';
/** How a large answer on its way ended. */
export type StreamEnding = 'whole' | 'failed' | 'malformed' | 'too_large' | 'stalled' | 'gone' | 'dropped';
/** Why an attempt was repeated. */
export type RetryReason = Exclude<OutcomeClass, 'result' | 'chain' | 'client' | 'cancelled'> | 'null';

/** How a node took several calls in one message. */
export type ShareOutcome = 'answered' | 'refused' | 'tooLarge' | 'failed';

/** A closed set of label values, with a dense index for counters. */
export interface LabelSet<N extends string> {
  readonly names: readonly N[];
  readonly indexOf: ReadonlyMap<string, number>;
}

const labelSet = <N extends string>(names: readonly N[]): LabelSet<N> => ({ names, indexOf: new Map(names.map((name, i) => [name, i])) });

const keys = <N extends string>(record: Record<N, unknown>): readonly N[] => Object.keys(record) as N[];

const FAULT_KINDS = keys(FAULTS);
const FAILURES: Record<Exclude<RetryReason, 'null'>, true> = {
  transport: true, timeout: true, http: true, throttled: true, auth: true, badJson: true, wrongId: true,
  node: true, missingData: true, unsupported: true, tooLarge: true,
};
const CLASSES: Record<OutcomeClass, true> = { result: true, chain: true, client: true, ...FAILURES, cancelled: true };
const STATES: Record<UpstreamState, true> = { serving: true, ramping: true, cordoned: true, ejected: true, probation: true, down: true };
/** Reasons that can take a node out. */
const OUT_REASONS: Record<Exclude<StateReason, 'new' | 'ok' | 'operator'>, true> = {
  'probe-refused': true, 'probe-timeout': true, 'probe-bad': true, lag: true, stalled: true, syncing: true,
  failures: true, latency: true, 'wrong-chain': true, fork: true, 'lying-head': true,
};

const TOPIC_KINDS: Record<TopicKind, true> = { newHeads: true, logs: true, newPendingTransactions: true, syncing: true };
const SLOW_ACTIONS: Record<SlowAction, true> = { parked: true, resumed: true, dropped: true, conflated: true, disconnected: true };
const BLOCK_REFUSALS: Record<Refusal, true> = { absent: true, malformed: true, doubtful: true };

/** Every closed set of label values. The types above make a set complete at compile time. */
export const LABELS = {
  refusals: labelSet(FAULT_KINDS),
  requestOutcomes: labelSet<RequestOutcome>(['result', 'error', 'gone', ...FAULT_KINDS]),
  upstreamOutcomes: labelSet(keys(CLASSES)),
  states: labelSet(keys(STATES)),
  outReasons: labelSet(keys(OUT_REASONS)),
  retryReasons: labelSet<RetryReason>([...keys(FAILURES), 'null']),
  coalescedOutcomes: labelSet(['shared', 'led', 'failed'] as const),
  streamEndings: labelSet<StreamEnding>(['whole', 'failed', 'malformed', 'too_large', 'stalled', 'gone', 'dropped']),
  shareOutcomes: labelSet<ShareOutcome>(['answered', 'refused', 'tooLarge', 'failed']),
  viewEvents: labelSet<ViewEvent>(['pinned', 'off_branch', 'begun_anew', 'min_block_refused']),
  waitOutcomes: labelSet(['reached', 'expired'] as const),
  sendChecks: labelSet<SendCheck>(['copy_taken', 'copy_refused', 'nonce_known', 'nonce_used', 'nonce_raised']),
  logsCalls: labelSet<LogsCall>(['piece', 'header', 'block', 'receipts']),
  filterDrops: labelSet(['idle', 'overflow', 'loss'] as const),
  logsSources: labelSet<LogsSource>(['stored', 'asked', 'bloom', 'block']),
  workerStates: labelSet(['starting', 'serving', 'draining', 'waiting'] as const),
  workerDeaths: labelSet(['exit', 'signal', 'hung'] as const),
  storedClasses: labelSet<StoredClass>(['static', 'finalized', 'unfinalized', 'head']),
  sideCalls: labelSet<SideCall>(['confirm', 'hashSupport', 'verify', 'identity', 'derive']),
  derivedOutcomes: labelSet(['same', 'differs'] as const),
  hedgeOutcomes: labelSet(['won', 'lost'] as const),
  topicKinds: labelSet(keys(TOPIC_KINDS)),
  slowActions: labelSet(keys(SLOW_ACTIONS)),
  blockRefusals: labelSet(keys(BLOCK_REFUSALS)),
} as const;
