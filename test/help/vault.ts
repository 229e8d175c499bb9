import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Anchors } from '../../src/proof/anchor.ts';
import type { Candidate } from '../../src/snapshot/choose.ts';
import type { Level, LevelRecord, SnapshotBody, Verification } from '../../src/snapshot/manifest.ts';
import { type CaptureProof, type CaptureRequest, type Captured, capture } from '../../src/store/capture.ts';
import { loadKey, type SigningKey } from '../../src/store/keys.ts';
import { placesInStore } from '../../src/store/sources.ts';
import { SnapshotStore } from '../../src/store/store.ts';
import type { VerifyPool } from '../../src/verify/pool.ts';
import { verifySnapshot, type VerifyWork } from '../../src/verify/verify.ts';
import { word } from './snapshot.ts';

/** A folder of its own. */
export const scratch = (): string => mkdtempSync(join(tmpdir(), 'tidegate-vault-'));

/** Writes files below a folder. */
export function writeFiles(directory: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), content);
  }
  return directory;
}

export const noJournal = { top: () => undefined, add: () => undefined };

/** A store in a scratch folder, its key trusted, its clock by hand. */
export class Vault {
  readonly root = scratch();
  readonly key: SigningKey;
  nowMs = 1_700_000_000_000;
  readonly store: SnapshotStore;

  private constructor(key: SigningKey) {
    this.key = key;
    this.store = new SnapshotStore({ root: this.root, keys: () => [{ ...key, isRevoked: false }], nowMs: () => this.nowMs });
  }

  static async open(): Promise<Vault> {
    return new Vault(await loadKey(join(scratch(), 'snapshot.key')));
  }

  static readonly facts: Pick<SnapshotBody, 'chain' | 'client' | 'head' | 'source'> = {
    chain: { name: 'demo', family: 'evm', chainId: 31_337, genesisHash: word('1') },
    client: { kind: 'other', version: '1' },
    head: { number: 10, hash: word('a'), stateRoot: word('b'), timestampS: 1_700_000_000 },
    source: 'node-1',
  };

  capture(directory: string, change: Partial<CaptureRequest & CaptureProof> = {}): Promise<Captured> {
    const { facts = Vault.facts, proofDirectory = null, ...rest } = change;
    const request = { chain: facts.chain.name, clientKind: facts.client.kind, directory, prove: () => Promise.resolve({ facts, proofDirectory }), kind: 'full', gzip: false, key: this.key, onProgress: () => {} } as const;
    return capture(this.store, { ...request, ...rest });
  }

  verify({ manifest }: Candidate, pool: VerifyPool, change: Partial<VerifyWork> = {}): Promise<Verification> {
    return verifySnapshot({
      snapshot: manifest.snapshot,
      trust: null,
      pool,
      place: placesInStore(this.store.objects),
      read: (chunk) => this.store.objects.read(chunk),
      journal: noJournal,
      anchors: { checkpoints: [], peers: [] } satisfies Anchors,
      trialBoot: null,
      nowMs: () => this.nowMs,
      onProgress: () => {},
      ...change,
    });
  }
}

/** The record of a level. */
export function levelOf({ levels }: Verification, level: Level): LevelRecord {
  const found = levels.find((one) => one.level === level);
  if (found === undefined) throw new Error(`no record of ${level}`);
  return found;
}
