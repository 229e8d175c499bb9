import type { SnapshotsConfig } from '../config/schema.ts';
import type { Candidate } from '../snapshot/choose.ts';
import { StoreFault } from '../store/fault.ts';
import { dropTrialCopy, makeTrialCopy } from '../store/trialCopy.ts';
import { bootRecord } from '../verify/verify.ts';
import type { KeptNode } from './chainLook.ts';
import { trialBoot, trialObstacle } from './trial.ts';

/** Name of the trial: a drill may boot another one of the same node meanwhile. */
export const STAGED_TRIAL = 'staged';

/** What a trial of staged data came to: it boots, or why it was not tried. */
export interface StagedTrial {
  readonly isBooted: boolean;
  readonly why: string;
}

/**
 * Boots a node's client on a second copy of staged data, apart from everything, and compares its head with the manifest's. Nothing is
 * written to the staged data itself: what takes the place of the node's is what was hashed.
 * @throws StoreFault `refused` when it does not boot, or with another head
 */
export async function tryStaged(node: KeptNode, { candidate: { id, manifest }, staged, operation, settings }: { readonly candidate: Candidate; readonly staged: string; readonly operation: string; readonly settings: SnapshotsConfig }): Promise<StagedTrial> {
  const { trialBoot: mode, trialCopyBytes } = settings.restore;
  const obstacle = mode === 'never' ? 'snapshots.restore.trialBoot is never' : trialObstacle(node.config);
  if (obstacle !== null) return { isBooted: false, why: obstacle };
  const place = { dataDir: node.config.dataDir, operation };
  try {
    const copy = await makeTrialCopy({ ...place, staged, files: manifest.snapshot.files, copyBytes: trialCopyBytes });
    if ('why' in copy) return { isBooted: false, why: copy.why };
    const { verdict, why } = bootRecord(manifest.snapshot.head, await trialBoot(node, { dataDir: copy.directory, timeoutMs: settings.capture.bootTimeoutMs, use: STAGED_TRIAL }));
    if (verdict !== 'proven') throw new StoreFault('refused', `snapshot ${id.slice(0, 12)}: ${why}`);
    return { isBooted: true, why };
  } finally {
    await dropTrialCopy(place);
  }
}
