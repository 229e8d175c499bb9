import type { NodeFacts } from '../heal/facts.ts';
import { weightFor } from '../heal/advance.ts';
import type { Step } from '../heal/operation.ts';
import type { KeptNode } from './chainLook.ts';
import { runSpecOf } from './clients.ts';
import type { EdgeClient } from './edge.ts';

/** The steps of a restore: each idempotent, each resumable after a crash at any point. */
export interface RestoreSteps {
  stage(node: KeptNode, operationId: string, snapshotId: string): Promise<void>;
  swap(node: KeptNode, operationId: string, from: 'snapshot' | 'empty'): Promise<void>;
  discard(node: KeptNode, operationId: string): Promise<void>;
  /** Takes back what `swap` did: the old data is in place again. */
  swapBack(node: KeptNode, operationId: string): Promise<void>;
  /** Takes away the data of a node that is kept no more, with what lies beside it. */
  removeData(node: KeptNode): Promise<void>;
  /** Before each start: half a swap is undone, what is to be mounted is mounted and proven. @throws Error when the node must not be started */
  ready(node: KeptNode): Promise<void>;
}

/** The step of a capture: idempotent, resumable. */
export interface CaptureSteps {
  copy(node: KeptNode, operationId: string, kind: 'full' | 'incremental'): Promise<void>;
}

export interface StepTools {
  readonly edge: EdgeClient;
  readonly captures: CaptureSteps;
  readonly restore: RestoreSteps | null;
  /** Keeps the node no more. */
  readonly forget: (node: KeptNode) => Promise<void>;
}

/**
 * Takes one step. Doing it again changes nothing.
 * @throws Error with what kept it from being done
 */
export async function takeStep(step: Step, node: KeptNode, facts: NodeFacts, tools: StepTools): Promise<void> {
  const { config, driver } = node;
  const upstream = config.upstream ?? config.name;
  switch (step.kind) {
    case 'cordon':
    case 'uncordon':
      return tools.edge.change(config.chain, upstream, step.kind);
    case 'weight':
      return tools.edge.change(config.chain, upstream, 'weight', { weight: weightFor(step.percent, facts.edge?.configuredWeight ?? 0) });
    case 'start':
      await tools.restore?.ready(node);
      return driver.start(config.name, runSpecOf(config));
    case 'stop':
      return driver.stop(config.name, step.incarnation, config.stopGraceMs);
    case 'stage':
      return restorer(tools).stage(node, step.operationId, step.snapshotId);
    case 'copy':
      return tools.captures.copy(node, step.operationId, step.captureKind);
    case 'swap':
      return restorer(tools).swap(node, step.operationId, step.from);
    case 'swapBack':
      return restorer(tools).swapBack(node, step.operationId);
    case 'discard':
      return restorer(tools).discard(node, step.operationId);
    case 'delist':
      return tools.edge.delist(config.chain, upstream);
    case 'forget':
      return tools.forget(node);
    case 'callHuman':
      return;
  }
}

function restorer({ restore }: StepTools): RestoreSteps {
  if (restore === null) throw new Error('no snapshots are configured');
  return restore;
}
