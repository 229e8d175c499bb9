import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bootId, startTicks } from '../driver/procfs.ts';

const LOCK = 'controller.lock';
const DIGITS = 16;
const SWEEP_AFTER_MS = 60_000;

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

/** True when a name was free and is now another one of the file `from`. */
function linked(from: string, name: string): boolean {
  try {
    linkSync(from, name);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes what earlier takers have left, when nobody can be on the way through it any more. */
function sweep(directory: string): void {
  const before = Date.now() - SWEEP_AFTER_MS;
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name.startsWith(`${LOCK}.`) && (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? before) < before) rmSync(path, { force: true });
  }
}

/** Takes the lock with the file `draft`. @throws Error that names the process which holds it */
function take(path: string, draft: string): void {
  for (let at = path; ; ) {
    if (linked(draft, at)) {
      // from now on whoever comes finds us at the first name
      if (at !== path) renameSync(draft, path);
      return;
    }
    const other = textOf(at);
    // let go right now
    if (other === null) continue;
    if (lives(other)) throw new Error(`${dirname(path)} is in use by another controller, process ${other.split(' ')[0]}`);
    at = `${path}.${createHash('sha256').update(other).digest('hex').slice(0, DIGITS)}`;
  }
}

/**
 * Takes a state directory for this process alone: two controllers on the same nodes would undo each other. A lock whose
 * process is gone, or that is from before a reboot, is taken over. It is never removed for that, for whoever removes a
 * file may remove what another has put there since: the heir of a dead holder is who first makes the one file that is
 * named after it, and the heir's own heir likewise.
 * @throws Error that names the process which holds it
 */
export function holdDirectory(directory: string): Held {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  sweep(directory);
  const path = join(directory, LOCK);
  const ticks = startTicks(process.pid) ?? -1;
  const own = `${process.pid} ${ticks} ${bootId()}`;
  // a lock is there with its content, or not at all
  const draft = `${path}.new-${process.pid}-${ticks}`;
  writeFileSync(draft, own, { mode: 0o600 });
  try {
    take(path, draft);
  } finally {
    rmSync(draft, { force: true });
  }
  return { release: () => textOf(path) === own && rmSync(path, { force: true }) };
}
