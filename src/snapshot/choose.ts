import type { Manifest } from './manifest.ts';
import { type ProofPolicy, unproven } from './policy.ts';

/** A snapshot whose manifest is signed by a trusted key. */
export interface Candidate {
  readonly id: string;
  readonly manifest: Manifest;
}

/** What the snapshot to restore must fit. */
export interface Need {
  /** null = any. */
  readonly chainId: number | null;
  /** null = any. */
  readonly genesisHash: string | null;
  /** null = any. */
  readonly clientKind: string | null;
  readonly policy: ProofPolicy;
  /** Snapshots proven bad, and those whose descent is in doubt. */
  readonly tainted: ReadonlySet<string>;
  /** Greatest age; 0 = any. */
  readonly maxAgeMs: number;
}

/** The choice, and why each of the others was left out. */
export interface Choice {
  readonly chosen: Candidate | null;
  readonly leftOut: readonly { readonly id: string; readonly why: string }[];
}

const unfit = ({ id, manifest }: Candidate, need: Need, nowMs: number): string | null => {
  const { chain, client, createdAtMs } = manifest.snapshot;
  if (need.chainId !== null && chain.chainId !== need.chainId) return `it is of chain ${chain.chainId}, not ${need.chainId}`;
  if (need.genesisHash !== null && chain.genesisHash !== need.genesisHash) return `its genesis is ${chain.genesisHash}`;
  if (need.clientKind !== null && client.kind !== need.clientKind) return `it is of a ${client.kind}, not a ${need.clientKind}`;
  if (need.tainted.has(id)) return 'it is tainted';
  if (need.maxAgeMs > 0 && nowMs - createdAtMs > need.maxAgeMs) return `it is older than ${need.maxAgeMs} ms`;
  return unproven(manifest, need.policy);
};

/** By head, then by sequence: the newest first. */
const newestFirst = (a: Candidate, b: Candidate): number =>
  b.manifest.snapshot.head.number - a.manifest.snapshot.head.number || b.manifest.snapshot.sequence - a.manifest.snapshot.sequence;

/** Chooses what to restore: the newest snapshot that is proven as far as the policy asks. */
export function chooseSnapshot(candidates: readonly Candidate[], need: Need, nowMs: number): Choice {
  const leftOut: { id: string; why: string }[] = [];
  let chosen: Candidate | null = null;
  for (const candidate of candidates.toSorted(newestFirst)) {
    const why = unfit(candidate, need, nowMs) ?? (chosen === null ? null : `${chosen.id.slice(0, 12)} is newer`);
    if (why === null) chosen = candidate;
    else leftOut.push({ id: candidate.id, why });
  }
  return { chosen, leftOut };
}
