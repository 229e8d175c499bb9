import { pathText } from '../config/problem.ts';
import { canonicalText } from './canonical.ts';
import { MAX_CHUNK_BYTES } from './chunker.ts';
import { type FileEntry, type Manifest, manifestObject } from './manifest.ts';

/** A manifest, or what is wrong with the text, with its place. */
export type ReadManifest = { readonly manifest: Manifest } | { readonly problem: string };

/** Why a path must not be written below a folder; null when it may. */
export function unsafePath(path: string): string | null {
  if (path === '' || path.startsWith('/')) return 'is not relative';
  if (/[\\\p{Cc}]/u.test(path)) return 'holds a backslash or control character';
  return path.split('/').some((part) => part === '' || part === '.' || part === '..') ? 'leaves its folder' : null;
}

const chunkProblem = ({ kind, chunks, sizeBytes }: FileEntry): string | null => {
  const sum = chunks.reduce((total, chunk) => total + chunk.sizeBytes, 0);
  if (sum !== sizeBytes) return `has ${sizeBytes} bytes, but its chunks have ${sum}`;
  const odd = kind === 'stream' ? -1 : chunks.findIndex((chunk, i) => i < chunks.length - 1 && chunk.sizeBytes !== MAX_CHUNK_BYTES);
  return odd < 0 ? null : `chunk ${odd} is not of ${MAX_CHUNK_BYTES} bytes`;
};

const isBelowOne = (path: string, paths: ReadonlySet<string>): boolean => {
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) if (paths.has(path.slice(0, end))) return true;
  return false;
};

const filesProblem = (files: readonly FileEntry[], where: string): string | null => {
  const paths = new Set(files.map(({ path }) => path));
  for (const [i, file] of files.entries()) {
    const previous = files[i - 1]?.path;
    const wrong =
      unsafePath(file.path) ??
      (previous !== undefined && previous >= file.path ? 'is not in order or occurs twice' : null) ??
      (isBelowOne(file.path, paths) ? 'is below a path that is a file' : null) ??
      chunkProblem(file);
    if (wrong !== null) return `${where}[${i}] ${JSON.stringify(file.path)} ${wrong}`;
  }
  return null;
};

const countLeaves = (files: readonly FileEntry[]): number => files.reduce((sum, { chunks }) => sum + 1 + chunks.length, 0);

const relationProblem = ({ snapshot }: Manifest): string | null => {
  const { files, proof, tree, kind, parent, sequence, head } = snapshot;
  const leaves = countLeaves(files) + countLeaves(proof);
  if (files.length === 0) return 'snapshot.files: holds no file';
  if (leaves !== tree.leafCount) return `snapshot.tree.leafCount: is ${tree.leafCount}, but there are ${leaves} leaves`;
  if ((kind === 'incremental') !== (parent !== null)) return 'snapshot.parent: only an incremental snapshot has one, and it needs it';
  if (parent !== null && parent.sequence >= sequence) return `snapshot.parent.sequence: ${parent.sequence} is not before ${sequence}`;
  if (parent !== null && parent.headNumber > head.number) return `snapshot.parent.headNumber: ${parent.headNumber} is above its own head ${head.number}`;
  return filesProblem(files, 'snapshot.files') ?? filesProblem(proof, 'snapshot.proof');
};

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** Canonical text; null for what has none, such as -0 or half of a surrogate pair. */
const ownText = (manifest: Manifest): string | null => {
  try {
    return manifestText(manifest);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
};

/** Reads a manifest as it lies in a store. Everything but the signature is checked, to the letter. */
export function readManifest(text: string): ReadManifest {
  const value = parse(text);
  if (value === undefined) return { problem: 'is not JSON' };
  const result = manifestObject.safeParse(value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return { problem: `${pathText((issue?.path ?? []) as (string | number)[])}: ${issue?.message ?? 'is wrong'}` };
  }
  const manifest: Manifest = result.data;
  if (ownText(manifest) !== text) return { problem: 'is not in canonical form' };
  const problem = relationProblem(manifest);
  return problem === null ? { manifest } : { problem };
}

/** The text of a manifest in a store. */
export function manifestText(manifest: Manifest): string {
  return `${canonicalText(manifest)}\n`;
}
