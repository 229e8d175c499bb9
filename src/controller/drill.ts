import { rm } from 'node:fs/promises';
import type { Candidate } from '../snapshot/choose.ts';
import { StoreFault } from '../store/fault.ts';
import { materialize } from '../store/materialize.ts';
import { mergeVerification } from '../snapshot/policy.ts';
import { recordVerification } from '../vault/judge.ts';
import type { Vault } from '../vault/vault.ts';
import { bootRecord } from '../verify/verify.ts';
import type { KeptNode } from './chainLook.ts';
import { trialBoot } from './trial.ts';

const DRILL = '.tidegate-drill';

/** What a drill came to. */
export interface Drilled {
  readonly candidate: Candidate;
  /** From the first byte to the first answer of the node. */
  readonly tookMs: number;
  readonly why: string;
}

/** Where a drill for a node is held: on the disk of its data, since that is where a restore would be. */
export const drillFolder = (dataDir: string): string => `${dataDir}${DRILL}`;

/** Takes away what a drill left that was cut short. */
export async function sweepDrill({ config }: KeptNode): Promise<void> {
  for (const end of ['', '.partial']) await rm(`${drillFolder(config.dataDir)}${end}`, { recursive: true, force: true });
}

/**
 * Restores a snapshot into a scratch node beside a kept one, every chunk hashed, boots it apart from everything, compares its head with
 * the manifest's, records that (L2), and takes all of it away. The kept node goes on meanwhile.
 * @throws StoreFault or Error when it could not be held, or the snapshot did not prove itself
 */
export async function drill({ vault, node, candidate, onProgress }: { readonly vault: Vault; readonly node: KeptNode; readonly candidate: Candidate; readonly onProgress: (bytes: number) => void }): Promise<Drilled> {
  const { store, settings, nowMs } = vault;
  const { id, manifest } = candidate;
  const directory = drillFolder(node.config.dataDir);
  await sweepDrill(node);
  await store.pins.pin(id, `drill-${node.config.name}`, `drill beside node ${node.config.name}`);
  try {
    const beganMs = performance.now();
    await materialize(store.objects, manifest.snapshot, directory, { isReadOnly: false, onProgress });
    const booted = await trialBoot(node, { dataDir: directory, timeoutMs: settings.capture.bootTimeoutMs });
    const tookMs = performance.now() - beganMs;
    const record = bootRecord(manifest.snapshot.head, booted);
    if (record.verdict === 'notRun') throw new StoreFault('unheld', record.why);
    const levels = (manifest.verification?.levels ?? []).filter(({ level }) => level !== 'L2');
    const verification = mergeVerification(manifest.verification, { atMs: nowMs(), levels: [...levels, record].sort((a, b) => (a.level < b.level ? -1 : 1)) });
    const recorded = await recordVerification(vault, { candidate, trust: null, objects: store.objects, isProofOnly: false }, verification);
    if (record.verdict !== 'proven') throw new StoreFault('refused', record.why);
    return { candidate: recorded, tookMs, why: record.why };
  } finally {
    await sweepDrill(node);
    await store.pins.unpin(id, `drill-${node.config.name}`);
  }
}
