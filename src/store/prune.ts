import type { Candidate } from '../snapshot/choose.ts';
import { type ProofPolicy, unproven } from '../snapshot/policy.ts';
import { planRetention, type Retention, type RetentionPlan } from '../snapshot/retain.ts';
import type { SnapshotStore } from './store.ts';

/** Plans which snapshots of a chain stay; those whose manifests are not trusted are no part of it and stay too. */
export async function retentionOf(store: SnapshotStore, snapshots: readonly Candidate[], policy: ProofPolicy, rules: Retention): Promise<RetentionPlan> {
  const pins = new Map((await store.pins.list()).map(({ id, reason }) => [id, reason]));
  const kept = snapshots.map(({ id, manifest }) => ({
    id,
    sequence: manifest.snapshot.sequence,
    createdAtMs: manifest.snapshot.createdAtMs,
    isProven: unproven(manifest, policy) === null,
    pinnedBy: pins.get(id) ?? null,
  }));
  return planRetention(kept, rules);
}

/** Removes the manifests of snapshots; what only they need goes with later collections. */
export async function dropSnapshots(store: SnapshotStore, snapshots: readonly Candidate[], drop: readonly string[]): Promise<void> {
  for (const candidate of snapshots.filter(({ id }) => drop.includes(id))) {
    // one that a restore in another process has begun on since
    const pins = await store.pins.list();
    if (pins.every(({ id }) => id !== candidate.id)) await store.manifests.remove(candidate);
  }
}
