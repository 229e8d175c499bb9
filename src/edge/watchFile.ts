import { watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';

/** Rest after the last sign of a change: editors write, rename and set modes in one go. */
const REST_MS = 100;

/** Link that Kubernetes swaps when a mounted ConfigMap changes. */
const MOUNT_LINK = '..data';

/**
 * Calls back after each change of a file, until the returned function is called. The folder is watched, not the file:
 * editors put a new file in the place of the old one.
 * @param onFault gets why the folder cannot be watched, or not any more
 */
export function watchFile(path: string, onChange: () => void, onFault: (reason: string) => void): () => void {
  const full = resolve(path);
  let timer: NodeJS.Timeout | undefined;
  const fail = (error: unknown): void => onFault(error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason');
  try {
    const watcher = watch(dirname(full), { persistent: false }, (_kind, name) => {
      if (name !== null && name !== basename(full) && name !== MOUNT_LINK) return;
      clearTimeout(timer);
      timer = setTimeout(onChange, REST_MS);
    });
    watcher.on('error', fail);
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  } catch (error) {
    fail(error);
    return () => undefined;
  }
}
