import type { Candidate } from '../snapshot/choose.ts';
import { lineageProblem } from '../snapshot/lineage.ts';
import type { FileEntry } from '../snapshot/manifest.ts';
import { unproven } from '../snapshot/policy.ts';
import { placesInTree } from '../store/sources.ts';
import { type Tree, treeProblem } from '../store/tree.ts';
import { hashChunks } from '../verify/chunks.ts';
import { VerifyPool } from '../verify/pool.ts';
import type { Vault } from './vault.ts';

/** In a tree chunks lie as they are. */
const unpacked = (files: readonly FileEntry[]): FileEntry[] => files.map((file) => ({ ...file, chunks: file.chunks.map((chunk) => ({ ...chunk, gzip: null })) }));

/** Hashes every byte of a tree anew in the pool and writes down what it came to. */
export async function checkTree({ settings, store, nowMs }: Vault, { manifest }: Candidate, tree: Tree, signal?: AbortSignal): Promise<Tree> {
  const files = unpacked(manifest.snapshot.files);
  const pool = new VerifyPool(settings.threads);
  try {
    const journal = { top: () => undefined, add: () => undefined };
    const shape = await treeProblem(tree.path, files);
    const hashed = shape === null ? await hashChunks({ files, proof: [] }, { pool, place: placesInTree(tree.path, files), journal, onBytes: () => undefined, ...(signal === undefined ? {} : { signal }) }) : null;
    return await store.trees.note({ ...tree, checkedAtMs: nowMs(), problem: shape ?? hashed?.problems[0] ?? null });
  } finally {
    await pool.close();
  }
}

/** The newest proven snapshot of each kind of client: those that a tree is kept of. */
export function treeTargets({ rules }: Vault, trusted: readonly Candidate[]): Candidate[] {
  const targets = new Map<string, Candidate>();
  for (const one of trusted) {
    if (unproven(one.manifest, rules) === null && lineageProblem(one, trusted) === null) targets.set(one.manifest.snapshot.client.kind, one);
  }
  return [...targets.values()];
}

/** What an upkeep of trees did. */
export interface TreeWork {
  readonly built: readonly string[];
  readonly damaged: readonly Tree[];
}

/** Whether a tree was hashed long enough ago; one from the future (the clock was set back) is too. */
const isDue = ({ checkedAtMs }: Tree, everyMs: number, nowMs: number): boolean => checkedAtMs > nowMs || nowMs - checkedAtMs >= everyMs;

/**
 * Keeps the trees of a chain: that of the last proven snapshot is there, those that were not hashed for long are, a damaged one is
 * built anew unless it is mounted, and what is no longer needed and not mounted goes.
 * @throws StoreFault
 */
export async function keepTrees(vault: Vault, trusted: readonly Candidate[], signal?: AbortSignal): Promise<TreeWork> {
  const { settings, store, chain, nowMs } = vault;
  const damaged: Tree[] = [];
  for (const tree of await store.trees.list(chain)) {
    const candidate = trusted.find(({ id }) => id === tree.id);
    if (candidate === undefined || !isDue(tree, settings.tree.checkEveryMs, nowMs())) continue;
    const checked = await checkTree(vault, candidate, tree, signal);
    if (checked.problem !== null) damaged.push(checked);
  }
  const targets = settings.tree.enabled ? treeTargets(vault, trusted) : [];
  const built: string[] = [];
  for (const target of targets) {
    const there = await store.trees.find(chain, target.id);
    const isMounted = (await store.trees.mountsOf(target.id)).length > 0;
    if (there?.problem === null || (there !== null && isMounted)) continue;
    await store.trees.build(target, () => signal?.throwIfAborted());
    built.push(target.id);
  }
  await store.trees.dropOthers(chain, new Set(targets.map(({ id }) => id)));
  return { built, damaged };
}
