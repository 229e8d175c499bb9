import { setTimeout as wait } from 'node:timers/promises';
import type { SnapshotsConfig } from '../config/schema.ts';
import type { Candidate } from '../snapshot/choose.ts';
import type { LevelRecord } from '../snapshot/manifest.ts';
import { StoreFault } from '../store/fault.ts';
import { dropTrialCopy, makeTrialCopy } from '../store/trialCopy.ts';
import { bootRecord } from '../verify/verify.ts';
import type { KeptNode } from './chainLook.ts';
import { trialBoot, trialObstacle } from './trial.ts';

/** Name of the trial: a drill may boot another one of the same node meanwhile. */
export const STAGED_TRIAL = 'staged';

/** Waits between tries that could not be held. */
const TRY_AGAIN_MS = [250, 1000] as const;

/** What a trial of staged data came to: it boots, or why it was not tried. */
export interface StagedTrial {
  readonly isBooted: boolean;
  readonly why: string;
}

/** What is tried. */
interface StagedData {
  readonly candidate: Candidate;
  readonly staged: string;
  readonly operation: string;
  readonly settings: SnapshotsConfig;
}

/** One try, on a second copy of its own: what a client was kept from ending well is not what was staged. @returns why there is no such copy, or what became of it */
const tryOnce = async (node: KeptNode, { candidate: { manifest }, staged, operation, settings: { capture, restore } }: StagedData): Promise<LevelRecord | string> => {
  const { files, head } = manifest.snapshot;
  const copy = await makeTrialCopy({ dataDir: node.config.dataDir, operation, staged, files, copyBytes: restore.trialCopyBytes });
  if ('why' in copy) return copy.why;
  return bootRecord(head, await trialBoot(node, { dataDir: copy.directory, timeoutMs: capture.bootTimeoutMs, use: STAGED_TRIAL }));
};

/**
 * Boots a node's client on a second copy of staged data, apart from everything, and compares its head with the manifest's. Nothing is
 * written to the staged data itself: what takes the place of the node's is what was hashed.
 * @throws StoreFault `refused` when it does not boot, or with another head; `unheld` when it could not be tried, again and again, for
 *   reasons outside the data
 */
export async function tryStaged(node: KeptNode, data: StagedData): Promise<StagedTrial> {
  const obstacle = data.settings.restore.trialBoot === 'never' ? 'snapshots.restore.trialBoot is never' : trialObstacle(node.config);
  if (obstacle !== null) return { isBooted: false, why: obstacle };
  try {
    let record = await tryOnce(node, data);
    for (const waitMs of TRY_AGAIN_MS) {
      if (typeof record === 'string' || record.verdict !== 'notRun') break;
      // another try costs less than to stage it all anew
      await wait(waitMs);
      record = await tryOnce(node, data);
    }
    if (typeof record === 'string') return { isBooted: false, why: record };
    const { verdict, why } = record;
    if (verdict !== 'proven') throw new StoreFault(verdict === 'notRun' ? 'unheld' : 'refused', `snapshot ${data.candidate.id.slice(0, 12)}: ${why}`);
    return { isBooted: true, why };
  } finally {
    await dropTrialCopy({ dataDir: node.config.dataDir, operation: data.operation });
  }
}
