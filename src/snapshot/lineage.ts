import type { Candidate } from './choose.ts';

/** What was seen of a chain's snapshots before: the highest sequence and its id. Kept outside the store. */
export interface HighWater {
  readonly sequence: number;
  readonly id: string;
}

/**
 * What is wrong with a manifest among the others of its chain: a parent that is not the newest before it or not the one it names,
 * another chain's, or a number that two share.
 */
export function lineageProblem({ id, manifest }: Candidate, others: readonly Candidate[]): string | null {
  const { snapshot } = manifest;
  const { parent, chain } = snapshot;
  const siblings = others.filter((other) => other.manifest.snapshot.chain.name === chain.name && other.id !== id);
  const twin = siblings.find((other) => other.manifest.snapshot.sequence === snapshot.sequence);
  if (twin !== undefined) return `sequence ${snapshot.sequence} is also that of ${twin.id.slice(0, 12)}`;
  const stranger = siblings.find(({ manifest: { snapshot: other } }) => other.chain.chainId !== chain.chainId || other.chain.genesisHash !== chain.genesisHash);
  if (stranger !== undefined) return `chain.genesisHash: ${stranger.id.slice(0, 12)} of chain ${chain.name} has another chain id or genesis`;
  if (parent === null) return null;
  const between = siblings.find(({ manifest: { snapshot: { sequence } } }) => sequence > parent.sequence && sequence < snapshot.sequence);
  if (between !== undefined) return `parent: ${parent.id.slice(0, 12)} is stale, ${between.id.slice(0, 12)} is between it and the snapshot`;
  const known = siblings.find((other) => other.manifest.snapshot.sequence === parent.sequence);
  if (known === undefined) return null;
  const { head } = known.manifest.snapshot;
  if (known.id !== parent.id) return `parent.id: sequence ${parent.sequence} is ${known.id.slice(0, 12)}, not ${parent.id.slice(0, 12)}`;
  return head.number === parent.headNumber && head.hash === parent.headHash ? null : `parent.headHash: ${known.id.slice(0, 12)} has head ${head.number} ${head.hash}`;
}

/** Why the newest snapshot of a store is an old one, shown again; null when it is not. */
export function replayProblem(newest: Candidate | null, seen: HighWater | null): string | null {
  if (seen === null) return null;
  const sequence = newest?.manifest.snapshot.sequence ?? 0;
  if (sequence < seen.sequence) return `the newest snapshot is ${sequence}, but ${seen.sequence} (${seen.id.slice(0, 12)}) was seen before: an old state of the store is replayed`;
  if (sequence === seen.sequence && newest !== null && newest.id !== seen.id) return `snapshot ${sequence} is ${newest.id.slice(0, 12)}, but ${seen.id.slice(0, 12)} was seen under that number`;
  return null;
}
