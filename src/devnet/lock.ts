import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';

/** A held lock file. */
export interface Lock {
  release(): void;
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function take(path: string): boolean {
  try {
    const fd = openSync(path, 'wx', 0o600);
    writeSync(fd, String(process.pid));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * Takes a lock file that names this process. One left by a process that is gone is taken over.
 * @throws Error naming the other process when it lives
 */
export function lockFile(path: string): Lock {
  for (let attempt = 0; attempt < 2; attempt++) {
    if (take(path)) return { release: () => rmSync(path, { force: true }) };
    const owner = Number(readFileSync(path, 'utf8'));
    if (Number.isInteger(owner) && owner > 0 && alive(owner)) break;
    rmSync(path, { force: true });
  }
  throw new Error(`${path} is held by process ${readFileSync(path, 'utf8')}: one devnet per data directory`);
}
