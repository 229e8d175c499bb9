import { statSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import type { Logger } from '../observe/log.ts';
import type { GatewayMetrics } from '../observe/metrics.ts';
import { DiskStore } from '../store/diskStore.ts';
import { checkFile, setAside } from '../store/fileCheck.ts';

/** Signals by which a process dies of what it read from a damaged file. */
const FILE_SIGNALS: ReadonlySet<string> = new Set(['SIGBUS', 'SIGSEGV', 'SIGABRT', 'SIGILL']);

/** Has the file of stored answers checked before any process opens it. Without one, or when that fails, the edge serves all the same. */
export async function checkTier({ cache }: Config, log: Logger): Promise<void> {
  const { path } = cache.disk;
  if (path === '') return;
  try {
    const fault = await checkFile(path);
    if (fault !== null) log.warn({ path, fault }, 'the file of stored answers was damaged and is set aside; a new one is begun');
  } catch (error) {
    log.error({ path, fault: String(error) }, 'the file of stored answers (cache.disk.path) cannot be checked');
  }
}

/** Opens the file of stored answers for this process; null where there is none, or it cannot be opened. */
export function openTier({ cache }: Config, log: Logger, metrics: GatewayMetrics): DiskStore | null {
  const { path, maxBytes } = cache.disk;
  if (path === '') return null;
  const onFailed = (fault: string): void => {
    metrics.setDiskUp(false);
    log.error({ path, fault }, 'the file of stored answers (cache.disk.path) is used no more, until a restart');
  };
  try {
    const store = new DiskStore({ path, maxBytes }, { onFailed, onEvicted: (answers) => metrics.onDiskEvicted(answers) });
    metrics.setDiskUp(true);
    return store;
  } catch (error) {
    onFailed(error instanceof Error ? error.message : String(error));
    return null;
  }
}

/** A worker has died: when it may have been of the file, the next ones begin a new one. */
export function judgeDeath({ cache }: Config, signal: string | null, log: Logger): void {
  const { path } = cache.disk;
  if (path === '' || signal === null || !FILE_SIGNALS.has(signal)) return;
  const aside = setAside(path);
  if (aside !== null) log.error({ path, aside, signal }, 'a worker died by a signal that a damaged file of stored answers causes: the file is set aside');
}

/** Bytes that the file takes on disk; 0 = there is none. */
export function tierBytes({ cache }: Config): number {
  return cache.disk.path === '' ? 0 : (statSync(cache.disk.path, { throwIfNoEntry: false })?.size ?? 0);
}
