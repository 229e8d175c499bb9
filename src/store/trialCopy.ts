import { constants } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileEntry } from '../snapshot/manifest.ts';
import { PARTIAL } from './atomic.ts';
import { stagedPath } from './dataNames.ts';
import { StoreFault } from './fault.ts';
import { bareLayer, makeLayer, mountLayer, unmountLayer } from './layer.ts';
import { placeFiles } from './materialize.ts';
import { CLOSED } from './staging.ts';

/** What is to be booted. */
export interface TrialCopyRequest {
  /** Where staged data lies, not mounted. */
  readonly staged: string;
  readonly dataDir: string;
  readonly operation: string;
  readonly files: readonly FileEntry[];
  /** Most bytes that are copied where no blocks can be shared. */
  readonly copyBytes: number;
}

const placeOf = ({ dataDir, operation }: Pick<TrialCopyRequest, 'dataDir' | 'operation'>): string => `${stagedPath(dataDir, operation)}.trial${PARTIAL}`;

const copyAll = async ({ staged, files, copyBytes }: TrialCopyRequest, place: string): Promise<string | null> => {
  const neededBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const put = (mode: number) => ({ path }: FileEntry, full: string): Promise<void> => copyFile(join(staged, path), full, mode);
  try {
    await placeFiles(files, place, { isReadOnly: false, neededBytes: 0, put: put(constants.COPYFILE_FICLONE_FORCE) });
    return null;
  } catch (error) {
    if (!(error instanceof StoreFault) || !CLOSED.has(error.code)) throw error;
  }
  if (neededBytes > copyBytes) return `its ${neededBytes} bytes would have to be copied, ${copyBytes} are allowed (snapshots.restore.trialCopyBytes)`;
  try {
    await placeFiles(files, place, { isReadOnly: false, neededBytes, put: put(0) });
    return null;
  } catch (error) {
    if (error instanceof StoreFault && error.code === 'ENOSPC') return `there is no room for a second copy: ${error.message}`;
    throw error;
  }
};

/**
 * Makes a second copy of staged data, to be written to: for mounted data a second overlay over the same tree, else one of shared
 * blocks, else a plain one. The staged data itself stays as it was hashed.
 * @returns where it is, or why there is none
 */
export async function makeTrialCopy(request: TrialCopyRequest): Promise<{ readonly directory: string } | { readonly why: string }> {
  const place = placeOf(request);
  await dropTrialCopy(request);
  const layer = await bareLayer(request.staged);
  if (layer === null) {
    const why = await copyAll(request, place);
    return why === null ? { directory: place } : { why };
  }
  await mkdir(place);
  await makeLayer(place, { ...layer, operation: `${layer.operation}-trial` });
  await mountLayer(place);
  return { directory: place };
}

/** Takes a copy for a trial away, with what a crash left of it. */
export async function dropTrialCopy(request: Pick<TrialCopyRequest, 'dataDir' | 'operation'>): Promise<void> {
  const place = placeOf(request);
  await unmountLayer(place);
  for (const path of [place, `${place}${PARTIAL}`]) await rm(path, { recursive: true, force: true });
}
