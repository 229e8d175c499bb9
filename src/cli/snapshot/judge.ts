import type { Anchors } from '../../proof/anchor.ts';
import type { Candidate } from '../../snapshot/choose.ts';
import { lineageProblem, replayProblem } from '../../snapshot/lineage.ts';
import type { SnapshotBody, Verification } from '../../snapshot/manifest.ts';
import { mergeVerification, unproven } from '../../snapshot/policy.ts';
import { loadKey, signManifest } from '../../store/keys.ts';
import type { Listed } from '../../store/manifests.ts';
import type { ObjectFolder } from '../../store/objects.ts';
import { placesInStore } from '../../store/sources.ts';
import { ask } from '../../verify/ask.ts';
import { openJournal } from '../../verify/journal.ts';
import { VerifyPool } from '../../verify/pool.ts';
import { verifySnapshot } from '../../verify/verify.ts';
import { EXIT } from '../ports.ts';
import type { PeerNode, Setup } from './setup.ts';
import { bytesText, showProgress } from './screen.ts';

const hashAt = async (node: PeerNode, number: number): Promise<string | null> => {
  try {
    const block = (await ask(node, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as { readonly hash?: unknown } | null;
    return typeof block?.hash === 'string' ? block.hash.toLowerCase() : null;
  } catch {
    return null;
  }
};

/** What a snapshot is tied to: checkpoints, the genesis, and what nodes beside its source say. */
const anchorsOf = async ({ command, rules, peers }: Setup, { head, source }: SnapshotBody): Promise<Anchors> => {
  const configured = rules.checkpoints.map((text) => ({ number: Number(text.split(':')[0]), hash: String(text.split(':')[1]) }));
  const checkpoints = [...configured, ...command.checkpoints].map((one) => ({ ...one, from: 'checkpoint' }));
  const genesis = rules.genesisHash === '' ? [] : [{ number: 0, hash: rules.genesisHash, from: 'genesis' }];
  const quorum = command.quorum ?? rules.quorum;
  const others = peers.filter(({ name }) => name !== source);
  if (quorum === 0 || others.length === 0) return { checkpoints: [...checkpoints, ...genesis], peers: [] };
  const answers = await Promise.all(others.map(async (node) => ({ peer: node.name, hash: await hashAt(node, head.number) })));
  return { checkpoints: [...checkpoints, ...genesis], peers: [{ number: head.number, answers, quorum }] };
};

/** Why a snapshot of the store is not trusted: its signature, its place among the others, an old store. */
export function trustProblem(one: Listed, all: readonly Listed[], setup: Setup): Promise<string | null> {
  const judge = async (): Promise<string | null> => {
    if (one.candidate === null || one.problem !== null) return one.problem ?? 'manifest: cannot be read';
    const siblings = all.flatMap(({ candidate, problem, chain }) => (candidate === null || problem !== null || chain !== one.chain ? [] : [candidate]));
    const newest = siblings.reduce<Candidate | null>((top, next) => (top === null || next.manifest.snapshot.sequence > top.manifest.snapshot.sequence ? next : top), null);
    return lineageProblem(one.candidate, siblings) ?? replayProblem(newest, await setup.seen.of(one.chain));
  };
  return judge();
}

/** What is to be verified. */
export interface ToVerify {
  readonly candidate: Candidate;
  readonly trust: string | null;
  readonly objects: ObjectFolder;
  readonly isProofOnly: boolean;
}

/** Verifies with a pool of its own and shows how far it is. */
export async function runVerification(setup: Setup, { candidate: { id, manifest }, trust, objects, isProofOnly }: ToVerify): Promise<Verification> {
  const { world, settings, journalFolder } = setup;
  const pool = new VerifyPool(settings.threads);
  const journal = openJournal(journalFolder, isProofOnly ? `${id}-proof` : id, world.nowMs());
  try {
    const anchors = await anchorsOf(setup, manifest.snapshot);
    const verification = await verifySnapshot({
      snapshot: manifest.snapshot,
      trust,
      pool,
      place: placesInStore(objects),
      read: (chunk) => objects.read(chunk),
      journal,
      anchors,
      trialBoot: null,
      nowMs: () => world.nowMs(),
      onProgress: ({ bytes, totalBytes, headers }) => showProgress(world, totalBytes === 0 ? 1 : bytes / totalBytes, `verified ${bytesText(bytes)}${headers > 0 ? `, ${headers} headers` : ''}`),
      isProofOnly,
    });
    journal.finish();
    return verification;
  } finally {
    world.progress?.('');
    await pool.close();
  }
}

/** Writes what was found into the manifest and signs it anew. Nothing is written over a manifest that is not trusted. */
export async function recordVerification({ store, settings, seen, chain }: Setup, { candidate, trust }: ToVerify, verification: Verification): Promise<Candidate> {
  const { snapshot } = candidate.manifest;
  const merged = { id: candidate.id, manifest: signManifest({ snapshot, verification: mergeVerification(candidate.manifest.verification, verification) }, await loadKey(settings.keyFile)) };
  if (trust !== null) return { ...candidate, manifest: { ...candidate.manifest, verification } };
  await store.manifests.replace(merged);
  await seen.note(chain, { sequence: snapshot.sequence, id: candidate.id });
  return merged;
}

/** Exit code: proven as far as the policy asks, damaged, or only not proven. */
export function exitOf({ rules }: Setup, { manifest }: Candidate): number {
  if (manifest.verification?.levels.some(({ verdict }) => verdict === 'failed') === true) return EXIT.failed;
  return unproven(manifest, rules) === null ? EXIT.ok : EXIT.unproven;
}
