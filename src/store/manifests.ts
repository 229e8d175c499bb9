import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from '../snapshot/choose.ts';
import type { Manifest } from '../snapshot/manifest.ts';
import { manifestText, readManifest } from '../snapshot/read.ts';
import { distrust, snapshotId, type TrustedKey } from '../snapshot/sign.ts';
import { PARTIAL, syncPath, writeWhole } from './atomic.ts';
import { atPath, StoreFault } from './fault.ts';
import { sha256 } from './hash.ts';
import { checkSignature } from './keys.ts';
import { readRegular } from './regular.ts';

/** A manifest of the store: trusted, or why it is not. */
export interface Listed {
  readonly path: string;
  readonly chain: string;
  /** null when the file cannot even be read as a manifest. */
  readonly candidate: Candidate | null;
  readonly problem: string | null;
}

const NAME = /^(\d{8})-([0-9a-f]{64})\.json$/;

/** A chunk of 4 MiB takes some 250 bytes of it: enough for 2 TB. */
const MAX_MANIFEST_BYTES = 128 * 1024 * 1024;

const namesIn = (folder: string): Promise<string[]> =>
  atPath(folder, () => readdir(folder).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }));

/** Reads the text of a manifest. @throws StoreFault */
export async function readManifestFile(path: string): Promise<string> {
  return (await atPath(path, () => readRegular(path, MAX_MANIFEST_BYTES))).toString('utf8');
}

/** Judges the text of a manifest. @param name its file's name, when that must fit; null else */
export function judgeManifest(text: string, name: string | null, keys: readonly TrustedKey[]): Pick<Listed, 'candidate' | 'problem'> {
  const read = readManifest(text);
  if ('problem' in read) return { candidate: null, problem: `manifest: ${read.problem}` };
  const { manifest } = read;
  const id = snapshotId(sha256, manifest.snapshot);
  const candidate: Candidate = { id, manifest };
  if (name !== null && name !== fileName(candidate)) return { candidate, problem: `manifest: is not the one its name says: it holds ${fileName(candidate)}` };
  const why = distrust(manifest, keys, checkSignature);
  return { candidate, problem: why === null ? null : `manifest: ${why}` };
}

const fileName = ({ id, manifest }: Candidate): string => `${String(manifest.snapshot.sequence).padStart(8, '0')}-${id}.json`;

/** Manifests by chain and sequence. */
export class ManifestFolder {
  readonly #root: string;
  readonly #keys: () => readonly TrustedKey[];

  constructor(root: string, keys: () => readonly TrustedKey[]) {
    this.#root = root;
    this.#keys = keys;
  }

  /** Every manifest, oldest first within its chain. */
  async list(): Promise<Listed[]> {
    const all: Listed[] = [];
    for (const chain of (await namesIn(this.#root)).sort()) {
      for (const name of (await namesIn(join(this.#root, chain))).sort()) {
        if (name.endsWith(PARTIAL)) continue;
        all.push(await this.#one(chain, name));
      }
    }
    return all;
  }

  /** Changes whenever a manifest comes, goes or is written anew: whether to read them again. */
  async stamp(): Promise<string> {
    const parts: string[] = [];
    for (const chain of (await namesIn(this.#root)).sort()) {
      for (const name of (await namesIn(join(this.#root, chain))).sort()) {
        const facts = await stat(join(this.#root, chain, name)).catch(() => null);
        parts.push(`${chain}/${name} ${facts?.size} ${facts?.mtimeMs} ${facts?.ino}`);
      }
    }
    return parts.join('\n');
  }

  async #one(chain: string, name: string): Promise<Listed> {
    const path = join(this.#root, chain, name);
    if (!NAME.test(name)) return { path, chain, candidate: null, problem: 'manifest: has no name of one' };
    const text = await readManifestFile(path).catch((error: unknown) => {
      if (error instanceof StoreFault && error.code === 'unfit') return error;
      throw error;
    });
    if (typeof text !== 'string') return { path, chain, candidate: null, problem: `manifest: ${text.message}` };
    const judged = judgeManifest(text, name, this.#keys());
    const own = judged.candidate?.manifest.snapshot.chain.name;
    return { path, chain, candidate: judged.candidate, problem: judged.problem ?? (own === chain ? null : `manifest: is of chain ${own}`) };
  }

  /** Highest number of a chain, trusted or not; 0 when there is none. */
  async lastSequence(chain: string): Promise<number> {
    const numbers = (await namesIn(join(this.#root, chain))).flatMap((name) => NAME.exec(name)?.[1] ?? []);
    return Math.max(0, ...numbers.map(Number));
  }

  /** Adds a manifest. @throws StoreFault when its number is taken, or it would not be trusted */
  async add(candidate: Candidate): Promise<string> {
    this.#mustBeTrusted(candidate);
    const { name } = candidate.manifest.snapshot.chain;
    const number = fileName(candidate).slice(0, 9);
    const taken = (await namesIn(join(this.#root, name))).find((other) => other.startsWith(number) && other !== fileName(candidate) && NAME.test(other));
    if (taken !== undefined) throw new StoreFault('EEXIST', `manifest ${fileName(candidate)}: its number is taken by ${taken}`);
    const path = join(this.#root, name, fileName(candidate));
    await writeWhole(path, manifestText(candidate.manifest), { isExclusive: true });
    return path;
  }

  /** A manifest that the own keys do not vouch for would be lost as soon as it is written. */
  #mustBeTrusted(candidate: Candidate): void {
    const why = distrust(candidate.manifest, this.#keys(), checkSignature);
    if (why !== null) throw new StoreFault('refused', `manifest ${fileName(candidate)}: is not written, since ${why}`);
  }

  /** Whether the signatures of a key count here. */
  trusts(keyId: string): boolean {
    const own = this.#keys().filter((key) => key.keyId === keyId);
    return own.length > 0 && own.every(({ isRevoked }) => !isRevoked);
  }

  /** Puts a manifest with another verification in the place of the same snapshot's. @throws StoreFault when it would not be trusted */
  async replace(candidate: Candidate): Promise<void> {
    this.#mustBeTrusted(candidate);
    await writeWhole(join(this.#root, candidate.manifest.snapshot.chain.name, fileName(candidate)), manifestText(candidate.manifest));
  }

  async remove(candidate: { readonly id: string; readonly manifest: Manifest }): Promise<void> {
    const folder = join(this.#root, candidate.manifest.snapshot.chain.name);
    await atPath(folder, async () => {
      await rm(join(folder, fileName(candidate)), { force: true });
      await syncPath(folder);
    });
  }
}
