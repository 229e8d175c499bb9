import type { Anchors } from '../proof/anchor.ts';
import { isKin } from '../proof/kin.ts';
import type { Candidate } from '../snapshot/choose.ts';
import { lineageProblem, replayProblem } from '../snapshot/lineage.ts';
import type { SnapshotBody, Verification } from '../snapshot/manifest.ts';
import { mergeVerification } from '../snapshot/policy.ts';
import { ownKey, signManifest } from '../store/keys.ts';
import type { Listed } from '../store/manifests.ts';
import type { ObjectFolder } from '../store/objects.ts';
import { placesInStore } from '../store/sources.ts';
import { ask } from '../verify/ask.ts';
import { openJournal } from '../verify/journal.ts';
import { VerifyPool } from '../verify/pool.ts';
import { type TrialBoot, type VerifyProgress, verifySnapshot } from '../verify/verify.ts';
import type { PeerNode, Vault } from './vault.ts';

const hashAt = async (node: PeerNode, number: number): Promise<string | null> => {
  try {
    const block = (await ask(node, 'eth_getBlockByNumber', [`0x${number.toString(16)}`, false])) as { readonly hash?: unknown } | null;
    return typeof block?.hash === 'string' ? block.hash.toLowerCase() : null;
  } catch {
    return null;
  }
};

/** What an operator gives beside the configuration. */
export interface AnchorsGiven {
  readonly checkpoints: readonly { readonly number: number; readonly hash: string }[];
  /** null = that of the configuration. */
  readonly quorum: number | null;
}

/** Nodes with a URL of their own: one that is named twice is one voice. */
const apart = (peers: readonly PeerNode[]): PeerNode[] => {
  const place = ({ url }: PeerNode): string => (URL.canParse(url) ? new URL(url).href : url);
  return peers.filter((peer, i) => peers.findIndex((other) => place(other) === place(peer)) === i);
};

/** What a snapshot is tied to: checkpoints, the genesis, and what nodes say whose data is neither from its source nor from where the source's is. */
const anchorsOf = async ({ rules, peers, origins }: Vault, given: AnchorsGiven, { head, source }: SnapshotBody): Promise<Anchors> => {
  const configured = rules.checkpoints.map((text) => ({ number: Number(text.split(':')[0]), hash: String(text.split(':')[1]) }));
  const checkpoints = [...configured, ...given.checkpoints].map((one) => ({ ...one, from: 'checkpoint' }));
  const genesis = rules.genesisHash === '' ? [] : [{ number: 0, hash: rules.genesisHash, from: 'genesis' }];
  const quorum = given.quorum ?? rules.quorum;
  const others = apart(peers).filter(({ name }) => !isKin(source, name, origins));
  const kin = peers.flatMap(({ name }) => (name !== source && isKin(source, name, origins) ? [name] : []));
  if (quorum === 0 || others.length + kin.length === 0) return { checkpoints: [...checkpoints, ...genesis], peers: [] };
  const answers = await Promise.all(others.map(async (node) => ({ peer: node.name, hash: await hashAt(node, head.number) })));
  return { checkpoints: [...checkpoints, ...genesis], peers: [{ number: head.number, answers, quorum, kin }] };
};

/** Why a snapshot of the store is not trusted: its signature, its place among the others, an old store. */
export async function trustProblem(one: Listed, all: readonly Listed[], { seen }: Vault): Promise<string | null> {
  if (one.candidate === null || one.problem !== null) return one.problem ?? 'manifest: cannot be read';
  const siblings = all.flatMap(({ candidate, problem, chain }) => (candidate === null || problem !== null || chain !== one.chain ? [] : [candidate]));
  const newest = siblings.reduce<Candidate | null>((top, next) => (top === null || next.manifest.snapshot.sequence > top.manifest.snapshot.sequence ? next : top), null);
  return lineageProblem(one.candidate, siblings) ?? replayProblem(newest, await seen.of(one.chain));
}

/** What is to be verified. */
export interface ToVerify {
  readonly candidate: Candidate;
  readonly trust: string | null;
  readonly objects: ObjectFolder;
  readonly isProofOnly: boolean;
}

/** How it is verified. */
export interface HowToVerify {
  readonly anchors: AnchorsGiven;
  /** null = there is nothing to boot it with. */
  readonly trialBoot: TrialBoot | null;
  readonly onProgress: (progress: VerifyProgress) => void;
  readonly signal?: AbortSignal;
}

/** Verifies with a pool of its own; goes on where a verification that was cut short ended. */
export async function runVerification(vault: Vault, { candidate: { id, manifest }, trust, objects, isProofOnly }: ToVerify, how: HowToVerify): Promise<Verification> {
  const pool = new VerifyPool(vault.settings.threads);
  const journal = openJournal(vault.journalFolder, isProofOnly ? `${id}-proof` : id, vault.nowMs());
  try {
    const { trialBoot, onProgress, signal } = how;
    const verification = await verifySnapshot({
      snapshot: manifest.snapshot,
      trust,
      pool,
      place: placesInStore(objects),
      read: (chunk) => objects.read(chunk),
      journal,
      anchors: await anchorsOf(vault, how.anchors, manifest.snapshot),
      trialBoot,
      nowMs: vault.nowMs,
      onProgress,
      isProofOnly,
      ...(signal === undefined ? {} : { signal }),
    });
    journal.finish();
    return verification;
  } finally {
    await pool.close();
  }
}

/** A snapshot as it was judged. */
export interface Recorded extends Candidate {
  /** Why the judgement is not in the store; null when it is. */
  readonly notRecorded: string | null;
}

/**
 * Writes what was found into the manifest and signs it anew. Nothing is written over a manifest that is not trusted, nor where there
 * is no key whose signature counts: the manifest would lose the one that it has.
 */
export async function recordVerification({ store, settings, seen, chain }: Vault, { candidate, trust }: ToVerify, verification: Verification): Promise<Recorded> {
  const { id, manifest: { snapshot, signatures, verification: before } } = candidate;
  if (trust !== null) return { id, manifest: { snapshot, signatures, verification }, notRecorded: 'the manifest is not trusted' };
  const merged = mergeVerification(before, verification);
  const key = await ownKey(settings.keyFile);
  const notRecorded = key === null ? `there is no signing key in ${settings.keyFile}` : store.manifests.trusts(key.keyId) ? null : `the key in ${settings.keyFile} is not trusted`;
  if (key === null || notRecorded !== null) return { id, manifest: { snapshot, signatures, verification: merged }, notRecorded };
  const manifest = signManifest({ snapshot, verification: merged }, key);
  await store.manifests.replace({ id, manifest });
  await seen.note(chain, { sequence: snapshot.sequence, id });
  return { id, manifest, notRecorded };
}
