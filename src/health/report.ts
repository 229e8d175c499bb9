import type { HeadEvent } from '../chain/headsOptions.ts';
import type { HeadTracker } from '../chain/heads.ts';
import type { NodeHealth } from './node.ts';
import type { StateReason, UpstreamState } from './state.ts';

/** What the judge has to tell; each is worth one log line. */
export type JudgeEvent =
  | { readonly kind: 'state'; readonly index: number; readonly name: string; readonly from: UpstreamState; readonly to: UpstreamState; readonly reason: StateReason; readonly why: string }
  | { readonly kind: 'head'; readonly head: HeadEvent }
  | { readonly kind: 'panic'; readonly on: boolean; readonly serving: number; readonly total: number };

/** One upstream for people and the admin API. */
export interface UpstreamReport {
  readonly index: number;
  readonly name: string;
  readonly tier: number;
  readonly state: UpstreamState;
  readonly reason: StateReason;
  readonly sinceMs: number;
  /** State and reason as a sentence. */
  readonly why: string;
  readonly answers: boolean;
  readonly headNumber: number;
  readonly headHash: string;
  readonly lagBlocks: number;
  readonly lagSeconds: number;
  /** Mean time that it tells of new blocks by itself after the first node does; 0 = it does not, or too few tell. */
  readonly arrivalMs: number;
  readonly weight: number;
  /** As the config has it, and as it was set since by an operator or the controller. */
  readonly configuredWeight: number;
  readonly assignedWeight: number;
  readonly score: number;
  readonly failureRate: number;
  readonly samples: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly heldUntilMs: number;
  readonly ejections: number;
  readonly peers: number | null;
  readonly chainId: number | null;
  readonly clientVersion: string | null;
}

const WORDS: Record<StateReason, string> = {
  new: 'not probed yet',
  ok: 'fit',
  operator: 'by an operator',
  'probe-refused': 'refuses its probe',
  'probe-timeout': 'does not answer its probe in time',
  'probe-bad': 'answers its probe with garbage',
  lag: 'is behind the trusted head',
  stalled: 'has stopped while others move on',
  syncing: 'says that it is syncing',
  failures: 'fails too many calls',
  latency: 'is much slower than its peers',
  'wrong-chain': 'is on another chain',
  fork: 'is on another branch',
  'lying-head': 'claims a head that nobody follows',
};

/** Why the state holds. A node on trial that a verdict keeps there has that verdict's reason, not the one it came with. */
function reasonOf(node: NodeHealth): StateReason {
  return node.machine.state === 'probation' && node.verdict !== null ? node.verdict.reason : node.machine.reason;
}

/** A sentence on the node's state, with its numbers. */
export function wordsOf(node: NodeHealth, nowMs: number): string {
  const { state } = node.machine;
  const reason = reasonOf(node);
  const detail = (): string => {
    if (reason === 'lag' || reason === 'stalled' || reason === 'syncing') return ` (${node.lag.blocks} blocks, ${(node.lag.ms / 1000).toFixed(1)} s)`;
    if (reason === 'failures') return ` (${Math.round(100 * node.failureRate(nowMs))} % of ${node.samples(nowMs)})`;
    if (reason === 'latency') return ` (median ${node.latency.quantile(0.5).toFixed(0)} ms)`;
    if (reason === 'wrong-chain') return ` (${node.chainId ?? 'unknown'})`;
    return '';
  };
  // back on trial: the reason is why it was out
  if (state === 'probation' && node.verdict === null && reason !== 'new' && reason !== 'ok' && reason !== 'operator') return `probation: answers again; before, it ${WORDS[reason]}`;
  return `${state}: ${WORDS[reason]}${detail()}`;
}

/** The whole story of one node. `weight` is what the route table gave it. */
export function reportOf(node: NodeHealth, heads: HeadTracker, weight: number, nowMs: number): UpstreamReport {
  const head = heads.headOf(node.index);
  return {
    index: node.index,
    name: node.upstream.name,
    tier: node.upstream.tier,
    state: node.machine.state,
    reason: reasonOf(node),
    sinceMs: node.machine.sinceMs,
    why: wordsOf(node, nowMs),
    answers: node.answers,
    headNumber: head?.number ?? node.lastProbe?.head.number ?? -1,
    headHash: head?.hash ?? node.lastProbe?.head.hash ?? '',
    lagBlocks: node.lag.blocks,
    lagSeconds: node.lag.ms / 1000,
    arrivalMs: node.arrival.meanMs(nowMs),
    weight,
    configuredWeight: node.upstream.weight,
    assignedWeight: node.weight,
    score: node.score,
    failureRate: node.failureRate(nowMs),
    samples: node.samples(nowMs),
    p50Ms: node.latency.quantile(0.5),
    p99Ms: node.latency.quantile(0.99),
    heldUntilMs: node.hold.untilMs(nowMs),
    ejections: node.machine.ejections,
    peers: node.lastProbe?.peers ?? null,
    chainId: node.chainId,
    clientVersion: node.clientVersion,
  };
}
