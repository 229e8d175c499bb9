import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { clientLayout, leftOut } from '../snapshot/clients.ts';
import { unsafePath } from '../snapshot/read.ts';
import { atPath, StoreFault } from './fault.ts';

/** Files of a data directory that belong into a snapshot, and those that do not. */
export interface Walked {
  /** Relative paths with `/`, in order. */
  readonly paths: readonly string[];
  readonly excluded: readonly { readonly path: string; readonly reason: string }[];
}

const REASON = { secret: 'secret by its name', transient: 'made anew by the node' } as const;

/**
 * Lists a data directory.
 * @throws StoreFault for what a snapshot cannot hold: links and devices, names that are no safe path
 */
export async function walk(directory: string, clientKind: string): Promise<Walked> {
  const layout = clientLayout(clientKind);
  const paths: string[] = [];
  const excluded: { path: string; reason: string }[] = [];
  const entries = await atPath(directory, () => readdir(directory, { recursive: true, withFileTypes: true }));
  for (const entry of entries) {
    if (entry.isDirectory()) continue;
    const path = join(entry.parentPath, entry.name).slice(join(directory, '/').length);
    const why = leftOut(layout, path);
    if (why !== null) {
      excluded.push({ path, reason: REASON[why] });
      continue;
    }
    if (!entry.isFile()) throw new StoreFault('unfit', `file ${path}: is a link, pipe or device; a snapshot holds files only`);
    const unsafe = unsafePath(path);
    if (unsafe !== null) throw new StoreFault('unfit', `file ${JSON.stringify(path)}: ${unsafe}`);
    paths.push(path);
  }
  const byPath = (a: { path: string }, b: { path: string }): number => (a.path < b.path ? -1 : 1);
  return { paths: paths.sort(), excluded: excluded.sort(byPath) };
}
