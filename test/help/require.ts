import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const ALSO_IN = ['/usr/sbin', '/usr/local/sbin', '/sbin'];

/** Full path of an installed program, or null. */
export function findProgram(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat(ALSO_IN);
  for (const folder of folders) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // look further
    }
  }
  return null;
}

/**
 * Whether a program that a test compares with is installed; a test that lacks it skips and says `needs <name>` in its title:
 * `describe.skipIf(!needs('nginx'))('… (needs nginx)', …)`.
 * With TIDEGATE_REQUIRE_ALL=1 a missing program is an error, so that CI cannot skip silently.
 */
export function needs(name: string): boolean {
  if (findProgram(name) !== null) return true;
  if (process.env['TIDEGATE_REQUIRE_ALL'] === '1') throw new Error(`needs ${name}: the program is not installed`);
  return false;
}

/** Whether the test runs as root, for what only root may do; the same rule as `needs`. */
export function needsRoot(): boolean {
  if (process.getuid?.() === 0) return true;
  if (process.env['TIDEGATE_REQUIRE_ALL'] === '1') throw new Error('needs root');
  return false;
}
