import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import { capture, type Captured, type CaptureProof } from '../store/capture.ts';
import { copiedData, type DataCopy, markCopy } from '../store/dataCopy.ts';
import { loadKey } from '../store/keys.ts';
import { recordVerification, runVerification } from '../vault/judge.ts';
import type { Vault } from '../vault/vault.ts';
import { capturePack, factsOf } from '../verify/pack.ts';
import type { TrialBoot } from '../verify/verify.ts';
import type { KeptNode } from './chainLook.ts';
import { snapshotKindOf } from './clients.ts';
import { withTrial } from './trial.ts';

/** A copy on its way into the store. */
export interface CaptureJob {
  readonly vault: Vault;
  readonly node: KeptNode;
  readonly copy: DataCopy;
  readonly onState: (state: 'capturing' | 'verifying', told: string) => void;
  readonly signal: AbortSignal;
  readonly onPoint: (point: string) => void;
}

type Booted = Awaited<ReturnType<TrialBoot>>;

/** Boots the copy, which is in the store by then, and asks it for blocks, receipts and state proofs of its own head. */
const prove = async ({ vault, node, copy, onState, onPoint }: CaptureJob, onBooted: (head: Booted) => void): Promise<CaptureProof> => {
  const { settings, rules, chain } = vault;
  const data = copiedData(node.config.dataDir, copy.operationId);
  const proofDirectory = join(dirname(data), 'proof');
  onPoint('capture, data in the store');
  await markCopy(node.config.dataDir, copy, 'booted');
  await rm(proofDirectory, { recursive: true, force: true });
  const facts = await withTrial(node, { dataDir: data, timeoutMs: settings.capture.bootTimeoutMs }, async ({ url, head }) => {
    onBooted(head);
    onPoint('capture, copy booted');
    return capturePack({
      node: { name: `the trial boot of ${node.config.name}`, url },
      directory: proofDirectory,
      blocks: settings.proof.blocks,
      fromBlock: 0,
      samples: settings.proof.samples,
      watch: rules.watch,
      onProgress: (blocks) => onState('capturing', `${blocks} blocks asked for`),
    });
  });
  onPoint('capture, proof asked for');
  return { facts: factsOf(facts, { chain, clientKind: snapshotKindOf(node.config), source: node.config.name }), proofDirectory };
};

/** Verifies a snapshot of the store to every level that can be reached, and records it. */
export async function verifyRecorded({ vault, onState, signal }: Pick<CaptureJob, 'vault' | 'onState' | 'signal'>, candidate: Candidate, trialBoot: TrialBoot | null): Promise<Candidate> {
  const work = { candidate, trust: null, objects: vault.store.objects, isProofOnly: false };
  const onProgress = ({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number }): void => onState('verifying', `${bytes} of ${totalBytes} bytes hashed`);
  const verification = await runVerification(vault, work, { anchors: { checkpoints: [], quorum: null }, trialBoot, onProgress, signal });
  return recordVerification(vault, work, verification);
}

/**
 * Makes a snapshot of a copy: its files into the store, then blocks and proofs of a node that is booted on it apart from everything,
 * then the verification of what is in the store.
 * @throws StoreFault, AskFault or Error; nothing that counts is left behind but, where only the verification failed, an unproven snapshot
 */
export async function snapshotOf(job: CaptureJob): Promise<Captured> {
  const { vault, node, copy, onState, signal, onPoint } = job;
  const { store, settings, seen, chain } = vault;
  let booted: Booted = { fault: 'it was not booted', isInconclusive: true };
  const { candidate, counts } = await capture(store, {
    chain,
    clientKind: snapshotKindOf(node.config),
    directory: copiedData(node.config.dataDir, copy.operationId),
    prove: () =>
      prove(job, (head) => {
        booted = head;
      }),
    excluded: copy.excluded,
    kind: copy.kind,
    gzip: settings.gzip,
    key: await loadKey(settings.keyFile),
    onProgress: ({ files, bytes }) => onState('capturing', `${files} files, ${bytes} bytes`),
    signal,
  });
  onPoint('capture, published');
  await markCopy(node.config.dataDir, copy, 'done');
  await seen.note(chain, { sequence: candidate.manifest.snapshot.sequence, id: candidate.id });
  // what was booted are the bytes that are in the store: they were hashed before
  onPoint('capture, unverified');
  const recorded = await verifyRecorded(job, candidate, () => Promise.resolve(booted));
  onPoint('capture, recorded');
  return { candidate: recorded, counts };
}
