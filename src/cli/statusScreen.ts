import type { UpstreamReport } from '../health/report.ts';
import { plainText } from './ask.ts';
import { short, tableLines } from './table.ts';

/** An upstream as `/api/v1/upstreams` tells it. */
export type ShownUpstream = Pick<
  UpstreamReport,
  'name' | 'tier' | 'state' | 'why' | 'headNumber' | 'lagBlocks' | 'weight' | 'score' | 'p50Ms' | 'p99Ms'
> & { readonly inFlight: number; readonly budget?: { readonly callsPerS: number; readonly weightPerS: number } };

/** A chain as `/api/v1/upstreams` tells it. */
export interface ShownChain {
  readonly chain: string;
  readonly chainId: number | null;
  readonly head: { readonly number: number } | null;
  readonly finalized: number | null;
  readonly panic: boolean;
  readonly finalityBroken?: { readonly times: number; readonly fromNumber: number; readonly at: string } | null;
  readonly upstreams: readonly ShownUpstream[];
}

const TITLES = ['NAME', 'TIER', 'STATE', 'HEAD', 'LAG', 'WEIGHT', 'SCORE', 'P50', 'P99', 'IN FLIGHT', 'WHY'];

/** `why` begins with the state, which has a column of its own. */
const whyOf = (node: ShownUpstream): string => {
  const { state, why } = node;
  return [why.startsWith(`${state}: `) ? why.slice(state.length + 2) : why, ...budgetOf(node)].join('; ');
};

const budgetOf = ({ budget }: ShownUpstream): string[] => [
  ...(budget !== undefined && budget.callsPerS > 0 ? [`${short(budget.callsPerS, 1)} calls/s`] : []),
  ...(budget !== undefined && budget.weightPerS > 0 ? [`${short(budget.weightPerS, 1)} weight/s`] : []),
];

const rowOf = (node: ShownUpstream): string[] => [
  node.name,
  String(node.tier),
  node.state,
  node.headNumber < 0 ? '-' : String(node.headNumber),
  String(node.lagBlocks),
  short(node.weight, 1),
  short(node.score, 2),
  `${short(node.p50Ms, 1)} ms`,
  `${short(node.p99Ms, 1)} ms`,
  String(node.inFlight),
  whyOf(node),
];

const titleOf = ({ chain, chainId, head, finalized, panic, finalityBroken }: ShownChain): string => {
  const parts = [
    `${plainText(chain)} (chain id ${chainId ?? 'unknown'})`,
    head === null ? 'no head yet' : `head ${head.number}`,
    ...(finalized === null ? [] : [`finalized ${finalized}`]),
    ...(panic ? ['PANIC: judgements are suspended'] : []),
    ...(finalityBroken == null ? [] : [`FINALITY BROKEN from block ${finalityBroken.fromNumber} at ${plainText(finalityBroken.at)} (${finalityBroken.times} times since the start)`]),
  ];
  return parts.join(', ');
};

/** All chains with their nodes, as lines. */
export function statusLines(chains: readonly ShownChain[]): string[] {
  return chains.flatMap((chain, i) => [...(i === 0 ? [] : ['']), titleOf(chain), ...tableLines(TITLES, chain.upstreams.map(rowOf))]);
}

/** Whether an answer is what `statusLines` takes, as far as it would matter. */
export function areChains(value: unknown): value is readonly ShownChain[] {
  return Array.isArray(value) && value.every((chain: Partial<ShownChain> | null) => typeof chain?.chain === 'string' && Array.isArray(chain.upstreams));
}
