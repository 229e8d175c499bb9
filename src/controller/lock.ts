import { closeSync, mkdirSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { bootId, startTicks } from '../driver/procfs.ts';

/** A lock that is held. */
export interface Held {
  release(): void;
}

const textOf = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

/** Whether the process that wrote a lock still is. */
function lives(text: string): boolean {
  const [pid = '', ticks = '', boot = ''] = text.trim().split(' ');
  return boot === bootId() && startTicks(Number(pid)) === Number(ticks);
}

/**
 * Takes a state directory for this process alone: two controllers on the same nodes would undo each other. A lock whose
 * process is gone, or that is from before a reboot, is taken over.
 * @throws Error that names the process which holds it
 */
export function holdDirectory(directory: string): Held {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, 'controller.lock');
  const own = `${process.pid} ${startTicks(process.pid) ?? -1} ${bootId()}`;
  for (;;) {
    try {
      const file = openSync(path, 'wx', 0o600);
      writeSync(file, own);
      closeSync(file);
      return { release: () => textOf(path) === own && rmSync(path, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = textOf(path);
    if (other !== null && other !== '' && lives(other)) throw new Error(`${directory} is in use by another controller, process ${other.split(' ')[0]}`);
    // an empty one is being written right now, or was left by a crash in between: both are rare, and the next try tells
    rmSync(path, { force: true });
  }
}
