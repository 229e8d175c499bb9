import type { CaptureWish, NodeFacts } from './facts.ts';
import type { NodeMemory } from './memory.ts';
import type { Verdict } from './ailment.ts';

/** A node as the choice of a source sees it. */
export interface SourceLook {
  readonly node: NodeFacts;
  readonly verdict: Verdict;
  readonly memory: NodeMemory;
}

/** Why a node is no source of a snapshot now; null = it is fit. Whether the others can bear its absence the guards say. */
function unfit({ node, verdict, memory }: SourceLook): string | null {
  const { edge, copy, rpc } = node;
  if (copy === undefined) return 'it is of a kind that nothing is captured of';
  if (node.paused) return 'healing is paused';
  if (node.wish !== 'running' || node.process.state !== 'running') return 'it does not run';
  if (verdict.kind !== 'healthy') return `it is ${verdict.kind}: ${verdict.why}`;
  if (memory.operation !== null || memory.heldOut) return 'it is being brought back';
  if (rpc.syncing) return 'it is syncing';
  if (edge === null) return 'the gateway does not say how it serves';
  if (edge.state !== 'serving') return `at the gateway it is ${edge.state}`;
  return edge.assignedWeight === edge.configuredWeight ? null : 'it is not at its full weight';
}

export interface SourceChoice {
  /** Null = none is fit. */
  readonly node: string | null;
  /** One sentence. */
  readonly why: string;
}

/**
 * The node to take a snapshot of: one that is healthy, in sync and in full service; rather not the source of the last one,
 * so that one damaged node is not the source of all; then the one with the fewest calls under way.
 */
export function chooseSource(looks: readonly SourceLook[], wish: CaptureWish): SourceChoice {
  const asked = looks.filter(({ node }) => wish.node === null || node.name === wish.node);
  const reasons = asked.map((look) => ({ look, why: unfit(look) }));
  const fit = reasons.flatMap(({ look, why }) => (why === null ? [look.node] : []));
  const isLast = ({ name }: NodeFacts): number => (name === wish.lastSource ? 1 : 0);
  const [best] = fit.sort((a, b) => isLast(a) - isLast(b) || (a.edge?.inFlight ?? 0) - (b.edge?.inFlight ?? 0) || (a.name < b.name ? -1 : 1));
  if (best !== undefined) return { node: best.name, why: wish.why };
  const all = reasons.map(({ look, why }) => `${look.node.name}: ${why}`).join('; ');
  return { node: null, why: all === '' ? 'there is no such node' : all };
}
